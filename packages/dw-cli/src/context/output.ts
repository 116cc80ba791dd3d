import type { Style, TextTable } from "../core/text-table.ts";

/** Where a command writes its results; what is said beside them goes to stderr. */
export interface Output {
  /** Whether somebody looks on: lists of hundreds are cut short then, and say so. */
  readonly isTerminal: boolean;
  line(text?: string): void;
  /** A line in parts, each with its style. */
  styled(...parts: readonly (readonly [style: Style, text: string])[]): void;
  table(table: TextTable): void;
  /** One JSON document, for scripts. */
  json(value: unknown): void;
  /** One JSON document on one line, for streams. */
  jsonLine(value: unknown): void;
  /** Something worth knowing that is no result. */
  note(text: string): void;
}

/** So much of a list stays in sight of somebody who looks on. */
const SEEN_MAX = 25;

/** The first of a list, or all of it where nobody looks on; and how much is left out. */
export function inSight<T>(
  { isTerminal }: Pick<Output, "isTerminal">,
  list: readonly T[],
): { readonly shown: readonly T[]; readonly left: number } {
  const shown = isTerminal ? list.slice(0, SEEN_MAX) : list;
  return { shown, left: list.length - shown.length };
}
