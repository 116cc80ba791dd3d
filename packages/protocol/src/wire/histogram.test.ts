import { describe, expect, test } from "vitest";
import { addHistograms, bucketOf, bucketsOf, countOf, type Histogram, quantileOf, toHistogram } from "./histogram.ts";
import fc from "../testing/random.ts";

const of = (...durations: readonly number[]): Histogram => toHistogram(durations.map((ms) => [ms, 1]));
const durations = fc.array(fc.nat(3_600_000), { minLength: 1, maxLength: 200 });

test.each([
  [-1, 0],
  [0.9, 0],
  [15, 15],
  [17, 16],
  [31, 30],
  [35, 32],
  [1_000, 960],
  [2 ** 22 - 1, 2 ** 22 - 2 ** 18],
  [2 ** 22, 2 ** 22],
  [1e12, 2 ** 22],
])("bucketOf() %d is %d", (ms, bucket) => {
  expect(bucketOf(ms)).toBe(bucket);
});

test("bucketOf() has few buckets, and each is its own", () => {
  const buckets = new Set(Array.from({ length: 2 ** 16 + 1 }, (_, i) => bucketOf(i * 64)));
  for (let ms = 0; ms < 4_096; ms++) buckets.add(bucketOf(ms));
  expect(buckets.size).toBe(161);
  for (const bucket of buckets) expect(bucketOf(bucket)).toBe(bucket);
});

describe("toHistogram()", () => {
  test("sorts, sums up, and leaves out what is empty", () => {
    expect(of(3, 0, 17, 0, 16)).toEqual([0, 2, 3, 1, 16, 2]);
    expect(of()).toEqual([]);
  });

  test("puts what came in finer buckets into its own", () => {
    expect(
      toHistogram([
        [33, 2],
        [32.5, 1],
        [1e12, 1],
      ]),
    ).toEqual([32, 3, 2 ** 22, 1]);
  });
});

test("addHistograms() is the histogram of all requests, in whatever order", () => {
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      expect(addHistograms(of(...a), of(...b))).toEqual(of(...a, ...b));
      expect(addHistograms(of(...b), of(...a))).toEqual(of(...a, ...b));
      expect(countOf(addHistograms(of(...a), of(...b)))).toBe(a.length + b.length);
    }),
  );
  expect(addHistograms([], [0, 1])).toEqual([0, 1]);
  expect(addHistograms([0, 1], [])).toEqual([0, 1]);
});

describe("quantileOf()", () => {
  test.each([
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
    [1, 1_000],
  ])("of 1 to 1,000 ms at %d is within a sixteenth of %d", (share, expected) => {
    const found = quantileOf(of(...Array.from({ length: 1_000 }, (_, i) => i + 1)), share) as number;
    expect(Math.abs(found / expected - 1)).toBeLessThanOrEqual(1 / 16);
  });

  test("is within a sixteenth of what sorting finds", () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99, 1), (some, share) => {
        const sorted = some.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(share * some.length) - 1] as number;
        expect(Math.abs((quantileOf(of(...some), share) as number) - exact)).toBeLessThanOrEqual(exact / 16);
      }),
    );
  });

  test("counts weights", () => {
    expect(quantileOf([1, 99, 500, 1], 0.99)).toBe(1);
    expect(quantileOf([1, 98, 480, 2], 0.99)).toBe(495.5);
  });

  test("of nothing is null", () => {
    expect(quantileOf([], 0.99)).toBeNull();
  });
});

test("bucketsOf() leaves out a bucket without a count", () => {
  expect([...bucketsOf([1, 2, 3])]).toEqual([[1, 2]]);
});
