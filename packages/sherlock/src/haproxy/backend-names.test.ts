import { expect, test } from "vitest";
import { BackendNames } from "./backend-names.ts";

test("what a worker says of a spare backend is known as long as it may say so, and what is asked goes to the one that runs", () => {
  const names = new BackendNames();
  names.note(new Map([["a:v1", "spare-x-1"]]));
  names.note(
    new Map([
      ["a:v1", "spare-x-1"],
      ["b:v1", "spare-x-2"],
    ]),
  );
  expect([names.inUse("a:v1"), names.inUse("c:v1"), names.own("spare-x-2")]).toEqual(["spare-x-1", "c:v1", "b:v1"]);
  // A reload has given them backends of their own, and another stands in a new spare one.
  names.note(new Map([["c:v1", "spare-y-1"]]));
  expect([names.inUse("a:v1"), names.inUse("c:v1")]).toEqual(["a:v1", "spare-y-1"]);
  expect(["spare-x-1", "spare-y-1", "spare-y-2", "s:v1"].map((name) => names.own(name))).toEqual([
    "a:v1",
    "c:v1",
    "spare-y-2",
    "s:v1",
  ]);
});

test("of very many the oldest are forgotten", () => {
  const names = new BackendNames();
  for (let i = 0; i < 5_000; i++) names.note(new Map([[`s${i}:v1`, `spare-${i}-1`]]));
  expect([names.own("spare-4999-1"), names.own("spare-0-1")]).toEqual(["s4999:v1", "spare-0-1"]);
});
