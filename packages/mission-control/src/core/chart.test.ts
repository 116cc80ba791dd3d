import { expect, test } from "vitest";
import { axisMax, linePath } from "./chart.ts";

test("linePath() breaks where nothing is known", () => {
  expect(linePath([0, 10, null, 5], { width: 30, height: 10, max: 10 })).toBe(
    "M 0.0 10.0 h 0 L 10.0 0.0 M 30.0 5.0 h 0",
  );
});

test.each([
  [[0.3], 0.5],
  [[12, 17], 20],
  [[100], 100],
  [[null], 1],
])("axisMax() of %j is %s", (values, expected) => {
  expect(axisMax([{ name: "a", values }])).toBeCloseTo(expected);
});
