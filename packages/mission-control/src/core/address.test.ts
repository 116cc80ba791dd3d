import { expect, test } from "vitest";
import { pathOf, segmentsOf, withParams } from "./address.ts";

test("segmentsOf() reads what pathOf() wrote", () => {
  expect(segmentsOf(pathOf("services", "a/b %"))).toEqual(["services", "a/b %"]);
  expect(segmentsOf("services/%")).toEqual(["services", "%"]);
  expect(segmentsOf("")).toEqual([]);
});

test("withParams() keeps the others and drops what is empty", () => {
  expect(withParams("tab=shares&q=a", { q: "b c", sort: "-rate" })).toBe("tab=shares&q=b+c&sort=-rate");
  expect(withParams("tab=shares&q=a", { q: "", tab: null })).toBe("");
});
