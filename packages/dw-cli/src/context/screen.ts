import type { TopKey } from "../core/top-state.ts";
import type { Style } from "../core/text-table.ts";

/** A terminal that a command has to itself until it closes it. */
export interface Screen {
  /** In characters; it changes when the window does. */
  readonly width: number;
  readonly height: number;
  paint(style: Style, text: string): string;
  /** Shows these lines from the top, and nothing else. */
  draw(lines: readonly string[]): void;
  onKey(listener: (key: TopKey) => void): void;
  onResize(listener: () => void): void;
  /** Leaves the terminal as it was. */
  close(): void;
}
