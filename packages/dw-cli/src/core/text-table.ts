import { printable } from "@datawire/protocol";

/** How a cell looks on a terminal that shows colours. */
export type Style = "plain" | "good" | "bad" | "warning" | "faint" | "strong";

/** A cell that is painted. */
export interface Cell {
  readonly text: string;
  readonly style: Style;
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "right";
  /**
   * The order in which columns give up width on a narrow terminal, and where that is not enough go altogether: lowest
   * first. The highest stays, and so does a column without it, as wide as it is.
   */
  readonly shrink?: number;
}

/** A table of text, before it is laid out. */
export interface TextTable {
  readonly columns: readonly Column[];
  /** A row has a cell for each column; a string is a plain cell. */
  readonly rows: readonly (readonly (Cell | string)[])[];
}

/** What a table is laid out for. */
export interface Layout {
  /** In characters; Infinity for output that is no terminal. */
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
}

const GAP = "  ";
/** A column that gives up width keeps at least this. */
const SHRUNK_MIN = 8;

/** A cell with a style. */
export const cell = (text: string, style: Style): Cell => ({ text, style });

/** Lays a table out in lines that fit the width where that is possible. */
export function layoutTable(table: TextTable, { width, paint }: Layout): string[] {
  const { columns, rows } = narrowed(table, width);
  const cells = rows.map((row) => row.map(toCell));
  const widths = fit(fullWidths(columns, cells), columns, width);
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

/** The table without the columns that it has no room for. */
function narrowed(table: TextTable, width: number): TextTable {
  const { columns, rows } = table;
  const widths = fit(
    fullWidths(
      columns,
      rows.map((row) => row.map(toCell)),
    ),
    columns,
    width,
  );
  const [least, ...more] = columns.flatMap(({ shrink }) => shrink ?? []).toSorted((a, b) => a - b);
  if (least === undefined || more.length === 0 || total(widths) <= width) return table;
  const at = columns.findIndex(({ shrink }) => shrink === least);
  return narrowed({ columns: columns.toSpliced(at, 1), rows: rows.map((row) => row.toSpliced(at, 1)) }, width);
}

function fullWidths(columns: readonly Column[], cells: readonly (readonly Cell[])[]): number[] {
  return columns.map(({ title }, i) => {
    let widest = title.length;
    for (const row of cells) widest = Math.max(widest, lengthOf((row[i] as Cell).text));
    return widest;
  });
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1));
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
    const excess = total(widths) - width;
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
