import type { Style, TextTable } from "../core/text-table.ts";

/** Where a command writes its results; what is said beside them goes to stderr. */
export interface Output {
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
