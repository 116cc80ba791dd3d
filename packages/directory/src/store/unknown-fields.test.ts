import { expect, test } from "vitest";
import { unknownFields, withUnknownFields } from "./unknown-fields.ts";

test.each([
  ["nothing", { a: 1 }, { a: 1 }, { a: 2 }, { a: 2 }],
  ["a field", { a: 1, new: [1] }, { a: 1 }, { a: 2 }, { a: 2, new: [1] }],
  ["a field within", { a: { b: 1, new: 2 } }, { a: { b: 1 } }, { a: { b: 3 } }, { a: { b: 3, new: 2 } }],
  [
    "fields of routes, by their targets",
    {
      routes: [
        { target: "x", new: 1 },
        { target: "y", new: 2 },
      ],
    },
    { routes: [{ target: "x" }, { target: "y" }] },
    { routes: [{ target: "z" }, { target: "y", share: 7 }] },
    { routes: [{ target: "z" }, { target: "y", share: 7, new: 2 }] },
  ],
  [
    "fields of what has no name, by its place",
    { steps: [{ a: 1, new: 1 }, { a: 2 }] },
    { steps: [{ a: 1 }, { a: 2 }] },
    { steps: [{ a: 5 }, { a: 6 }] },
    { steps: [{ a: 5, new: 1 }, { a: 6 }] },
  ],
  [
    "nothing of what has no name once one has gone",
    { steps: [{ a: 1, new: 1 }, { a: 2 }] },
    { steps: [{ a: 1 }, { a: 2 }] },
    { steps: [{ a: 2 }] },
    { steps: [{ a: 2 }] },
  ],
  ["nothing of what has become another kind", { a: { new: 1 } }, { a: {} }, { a: [] }, { a: [] }],
  [
    "a field that is null to this version",
    { a: null, new: { b: 1 } },
    { a: null },
    { a: null },
    { a: null, new: { b: 1 } },
  ],
  ["nothing where a default was added", { a: 1 }, { a: 1, b: [] }, { a: 1, b: [2] }, { a: 1, b: [2] }],
  [
    "fields of the first of two that are called the same, and loses neither",
    [{ name: "x", new: 1 }, { name: "x" }],
    [{ name: "x" }, { name: "x" }],
    [
      { name: "x", a: 1 },
      { name: "x", a: 2 },
    ],
    [
      { name: "x", a: 1, new: 1 },
      { name: "x", a: 2 },
    ],
  ],
  ["what objects inherit", { constructor: 1 }, {}, { a: 1 }, { a: 1, constructor: 1 }],
])("withUnknownFields() puts back %s", (_what, written, known, now, expected) => {
  const kept = unknownFields(written, known);
  expect(withUnknownFields(now, kept)).toEqual(expected);
});
