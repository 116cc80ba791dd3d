import { expect, test } from "vitest";
import { openProperties, type SelfDescription } from "./open-properties.ts";

test.each([
  [{}, null],
  [{ version: "2.0" }, { version: "2.0" }],
  [
    { version: "2.0", instance: "rex", caller: "monolith", properties: { team: "dogs", weight: 3, caller: "else" } },
    { team: "dogs", weight: 3, caller: "monolith", version: "2.0", instance: "rex" },
  ],
  [{ properties: { caller: "kept" } }, { caller: "kept" }],
] satisfies [SelfDescription, unknown][])("openProperties() of %j are %j", (description, expected) => {
  const properties = openProperties(description);
  expect(properties === undefined ? null : Object.fromEntries(properties)).toEqual(expected);
});

test.each([
  [{ instance: "" }, 'Cannot use "" as the instance of a connection: '],
  [{ properties: { team: null } }, "Cannot use null as the team of a connection: "],
])("openProperties() refuses %j", (description, message) => {
  expect(() => openProperties(description as SelfDescription)).toThrow(message);
});
