import { toHistogram } from "@datawire/protocol";
import { describe, expect, test } from "vitest";
import { parseCheck } from "../checks/parse-check.ts";
import { type Evidence, NO_EVIDENCE } from "./evidence.ts";
import { judge } from "./verdict.ts";

const CONFIG = { confidence: 0.99, minimum: 20 };
const counted = (requests: number, errors: number): Evidence => ({ ...NO_EVIDENCE, requests, errors });
const took = (...counts: (readonly [ms: number, count: number])[]): Evidence => ({
  requests: counts.reduce((sum, [, count]) => sum + count, 0),
  errors: 0,
  latencies: toHistogram(counts),
});

const state = (check: string, target: Evidence, primary: Evidence = NO_EVIDENCE): string =>
  judge(parseCheck(check), { target, primary }, CONFIG).state;

describe("the share of errors", () => {
  test.each([
    [counted(0, 0), "no-data"],
    [counted(19, 19), "no-data"],
    [counted(20, 10), "fail"],
    [counted(20, 0), "undecided"],
    [counted(590, 0), "pass"],
    [counted(1_000, 10), "undecided"],
    [counted(100_000, 500), "pass"],
    [counted(1_000, 50), "fail"],
  ])("of %j against 1%% is %s", (target, wanted) => {
    expect(state("error-rate <= 1%", target)).toBe(wanted);
  });

  test("goes by the primary's in the same time", () => {
    const check = "error-rate <= primary + 1%";
    expect(state(check, counted(1_000, 50), counted(9_000, 450))).toBe("undecided");
    expect(state(check, counted(1_000, 150), counted(9_000, 450))).toBe("fail");
    expect(state(check, counted(100_000, 5_000), counted(900_000, 45_000))).toBe("pass");
  });

  test("neither passes nor fails by a primary of which too little is known, but for what is worse than any", () => {
    expect(state("error-rate <= primary + 1%", counted(1_000, 500))).toBe("undecided");
    // A limit of at least 1% is kept whatever the primary does.
    expect(state("error-rate <= primary + 1%", counted(10_000, 0))).toBe("pass");
  });

  test("tells its numbers in percents", () => {
    const verdict = judge(
      parseCheck("error-rate <= primary + 1%"),
      { target: counted(200, 20), primary: counted(1_800, 9) },
      CONFIG,
    );
    expect(verdict).toMatchObject({ state: "fail", target: 10, baseline: 0.5, limit: 1.5, requests: 200 });
    expect(verdict.lower).toBeGreaterThan(1.5);
    expect(verdict.upper).toBeLessThan(25);
  });

  test("counts no more errors than requests", () => {
    expect(
      judge(parseCheck("error-rate <= 1%"), { target: counted(30, 40), primary: NO_EVIDENCE }, CONFIG),
    ).toMatchObject({ state: "fail", target: 100, upper: 100 });
  });
});

describe("latency", () => {
  test.each([
    [took([10, 5_000]), "pass"],
    [took([10, 900], [500, 100]), "fail"],
    [took([10, 100]), "undecided"],
    [counted(5_000, 0), "no-data"],
  ])("%# against a fixed limit", (target, wanted) => {
    expect(state("p99 <= 300ms", target)).toBe(wanted);
  });

  test("what is in the bucket that the limit divides decides nothing", () => {
    // 288 to 319 ms are one bucket.
    expect(state("p99 <= 300ms", took([10, 4_500], [296, 500]))).toBe("undecided");
    expect(state("p99 <= 319ms", took([10, 4_500], [296, 500]))).toBe("pass");
    expect(state("p99 <= 287ms", took([10, 4_500], [296, 500]))).toBe("fail");
  });

  test("goes by the primary's", () => {
    const primary = took([40, 9_000], [100, 1_000]);
    expect(state("p99 <= primary * 1.2", took([40, 9_000], [100, 1_000]), primary)).toBe("pass");
    expect(state("p99 <= primary * 1.2", took([40, 900], [200, 100]), primary)).toBe("fail");
    expect(state("p99 <= primary * 1.2", took([40, 90], [100, 10]), primary)).toBe("undecided");
    expect(state("p99 <= primary * 1.2", took([40, 5_000]), NO_EVIDENCE)).toBe("undecided");
  });

  test("tells its numbers in milliseconds", () => {
    const sides = { target: took([5, 900], [12, 100]), primary: took([5, 1_000]) };
    expect(judge(parseCheck("p99 <= primary * 1.2"), sides, CONFIG)).toMatchObject({
      target: 12,
      baseline: 5,
      limit: 6,
      requests: 1_000,
    });
  });
});
