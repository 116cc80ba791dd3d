import type { RouteListing } from "@datawire/api";
import { expect, test } from "vitest";
import { changedShares, draftOf, readPercent } from "./shares-draft.ts";

const route = (caller: string, target: string, percent: number): RouteListing => ({
  caller,
  service: "barker",
  target,
  percent,
  status: "active",
  reading: "caller",
  when: null,
  sticky: null,
  expires: null,
});

test("draftOf() takes the routes of that caller alone", () => {
  const routes = [route("*", "//barker(2)", 10), route("monolith", "//barker(3)", 20)];
  expect([...draftOf(routes, "monolith")]).toEqual([["//barker(3)", "20"]]);
});

test("changedShares() are those that say another number, and new ones", () => {
  const before = new Map([
    ["a", "10"],
    ["b", "20"],
  ] as const);
  const draft = new Map([
    ["a", "10.0"],
    ["b", "30"],
    ["c", ""],
  ] as const);
  expect(changedShares(draft, before)).toEqual([
    ["b", "30"],
    ["c", ""],
  ]);
});

test.each([
  ["0", 0],
  ["12.5", 12.5],
  ["100.1", null],
  ["-1", null],
  ["", null],
  ["x", null],
])("readPercent() of %j is %s", (text, expected) => {
  expect(readPercent(text)).toBe(expected);
});
