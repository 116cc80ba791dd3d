import { expect, test } from "vitest";
import { axisMax, linePath, momentAt } from "./chart.ts";

test("linePath() breaks where nothing is known", () => {
  expect(linePath([0, 10, null, 5], { width: 30, height: 10, max: 10 })).toBe(
    "M 0.0 10.0 h 0 L 10.0 0.0 M 30.0 5.0 h 0",
  );
});

test.each([
  [[0.3], 0.01, 0.5],
  [[12, 17], 1, 20],
  [[100], 1, 100],
  [[0.3], 1, 1],
  [[null], 0.01, 0.01],
])("axisMax() of %j and no less than %s is %s", (values, least, expected) => {
  expect(axisMax([{ name: "a", values }], least)).toBeCloseTo(expected);
});

test.each([
  [0, 5, 0],
  [0.4, 5, 2],
  [1.2, 5, 4],
  [0.5, 0, null],
])("momentAt() %s of %s moments is %s", (place, count, expected) => {
  expect(momentAt(place, count)).toBe(expected);
});
