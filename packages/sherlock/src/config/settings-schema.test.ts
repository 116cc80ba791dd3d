import { expect, test } from "vitest";
import { settingsSchema } from "./settings-schema.ts";

test.each([
  ["on", 1],
  ["off", null],
  [true, 1],
  [false, null],
  [undefined, undefined],
  ["100%", 1],
  ["10%", 10],
  ["33.33%", 3],
  ["1", 100],
  [0.01, 10_000],
])("percentiles: %s looks at one request in %s", (percentiles, oneIn) => {
  expect(settingsSchema.parse({ percentiles }).percentiles).toBe(oneIn);
});

test.each([
  ["off", null],
  [false, null],
  [undefined, undefined],
  ["errors", "errors"],
  ["100%", 1],
  ["10%", 0.1],
])("spans: %s is of %s", (spans, of) => {
  expect(settingsSchema.parse({ spans }).spans).toBe(of);
});

test.each(["0%", "101%", "on", true, -1])("spans: %s is refused", (spans) => {
  expect(settingsSchema.safeParse({ spans }).success).toBe(false);
});

test.each([
  ["on", "on"],
  [true, "on"],
  ["off", "off"],
  [false, "off"],
  [undefined, "off"],
])("explain: %s is %s", (explain, is) => {
  expect(settingsSchema.parse({ explain }).explain).toBe(is);
});

test.each(["1", "yes", 1])("explain: %s is refused", (explain) => {
  expect(settingsSchema.safeParse({ explain }).success).toBe(false);
});

test.each(["0%", "101%", "many", -1])("percentiles: %s is refused", (percentiles) => {
  expect(settingsSchema.safeParse({ percentiles }).success).toBe(false);
});
