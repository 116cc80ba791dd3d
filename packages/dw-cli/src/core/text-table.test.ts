import { expect, test } from "vitest";
import { cell, layoutTable } from "./text-table.ts";

const paint = (style: string, text: string): string => (style === "plain" ? text : `<${style}>${text}</>`);
const plain = (_: string, text: string): string => text;

const table = {
  columns: [
    { title: "NAME", shrink: 2 },
    { title: "N", align: "right" as const },
    { title: "WHY", shrink: 1 },
  ],
  rows: [
    ["barker.internal", "7", "the primary has no live instance"],
    ["b", cell("10", "bad"), ""],
  ],
};

test("layoutTable() aligns columns and leaves no blanks at the end of a line", () => {
  expect(layoutTable(table, { width: Number.POSITIVE_INFINITY, paint: plain })).toEqual([
    "NAME              N  WHY",
    "barker.internal   7  the primary has no live instance",
    "b                10",
  ]);
});

test.each([
  [53, "barker.internal   7  the primary has no live instance"],
  [40, "barker.internal   7  the primary has no…"],
  [25, "barker.int…   7  the pri…"],
  [22, "barker.…   7  the pri…"],
  [21, "barker.internal   7"],
  [5, "barker.…   7"],
])("layoutTable() fits %i columns: the least important one gives up width first, and then goes", (width, expected) => {
  expect(layoutTable(table, { width, paint: plain })[1]).toBe(expected);
});

test("layoutTable() measures text without its colours", () => {
  expect(layoutTable(table, { width: 80, paint })[2]).toBe("b                <bad>10</>");
});

test("layoutTable() prints nothing raw that a terminal would obey", () => {
  const rows = [[cell("\u001b[2J", "bad")]];
  expect(layoutTable({ columns: [{ title: "A" }], rows }, { width: 80, paint: plain })[1]).toBe("\\u001b[2J");
});
