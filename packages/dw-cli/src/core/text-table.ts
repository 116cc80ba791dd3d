import { printable } from "./printable.ts";

/** How a cell looks on a terminal that shows colours. */
export type Style = "plain" | "good" | "bad" | "warning" | "faint" | "strong";

export interface Cell {
  readonly text: string;
  readonly style: Style;
}

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** The order in which columns give up width on a narrow terminal: lowest first. Without it, a column keeps its own. */
  readonly shrink?: number;
}

export interface TextTable {
  readonly columns: readonly Column[];
  /** A row has a cell for each column; a string is a plain cell. */
  readonly rows: readonly (readonly (Cell | string)[])[];
}

export interface Layout {
  /** In characters; Infinity where nobody looks at it. */
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
}

const GAP = "  ";
/** A column that gives up width keeps at least this. */
const SHRUNK_MIN = 8;

/** A cell with a style. */
export const cell = (text: string, style: Style): Cell => ({ text, style });

/** Lays a table out in lines that fit the width where that is possible. */
export function layoutTable({ columns, rows }: TextTable, { width, paint }: Layout): string[] {
  const cells = rows.map((row) => row.map(toCell));
  const full = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((row) => lengthOf((row[i] as Cell).text))),
  );
  const widths = fit(full, columns, width);
  const line = (row: readonly Cell[]): string => {
    const fields = row.map((field, i) => {
      const size = widths[i] as number;
      const text = cut(field.text, size);
      const padding = " ".repeat(size - lengthOf(text));
      const isLast = i === row.length - 1;
      const painted = paint(field.style, text);
      return columns[i]?.align === "right" ? padding + painted : isLast ? painted : painted + padding;
    });
    return fields.join(GAP).trimEnd();
  };
  return [line(columns.map(({ title }) => cell(title, "faint"))), ...cells.map(line)];
}

function toCell(value: Cell | string): Cell {
  return typeof value === "string"
    ? { text: printable(value), style: "plain" }
    : { ...value, text: printable(value.text) };
}

/** Takes from the least important columns what does not fit. */
function fit(full: readonly number[], columns: readonly Column[], width: number): number[] {
  const widths = [...full];
  const order = columns
    .map(({ shrink, title }, i) => ({ i, shrink, floor: Math.max(SHRUNK_MIN, title.length) }))
    .filter((column) => column.shrink !== undefined)
    .sort((a, b) => (a.shrink as number) - (b.shrink as number));
  for (const { i, floor } of order) {
    const excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
    if (excess <= 0) break;
    widths[i] = Math.max(Math.min(floor, widths[i] as number), (widths[i] as number) - excess);
  }
  return widths;
}

function cut(text: string, size: number): string {
  const characters = Array.from(text);
  return characters.length <= size ? text : `${characters.slice(0, size - 1).join("")}…`;
}

/** In code points: names are ASCII, and for the rest this is near enough without tables of widths. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
