import { expect, test } from "vitest";
import { mergeRows } from "./merge.ts";

const rows = [
  { id: 1, name: "a", rate: 1 },
  { id: 2, name: "b", rate: 1 },
];
const keyOf = ({ id }: { id: number }): number => id;

test("mergeRows() puts what changed over a row, and takes away what is gone", () => {
  expect(mergeRows(rows, { changed: [{ id: 1, rate: 5 }], gone: [2] }, { keyOf })).toEqual([
    { id: 1, name: "a", rate: 5 },
  ]);
});

test("mergeRows() puts new rows last, or first", () => {
  const changes = { changed: [{ id: 3, name: "c", rate: 0 }], gone: [] };
  expect(mergeRows(rows, changes, { keyOf }).map(keyOf)).toEqual([1, 2, 3]);
  expect(mergeRows(rows, changes, { keyOf, newestFirst: true }).map(keyOf)).toEqual([3, 1, 2]);
});

test("mergeRows() keeps rows of which nothing changed the same objects", () => {
  expect(mergeRows(rows, { changed: [{ id: 1, rate: 5 }], gone: [] }, { keyOf })[1]).toBe(rows[1]);
});
