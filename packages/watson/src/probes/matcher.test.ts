import { expect, test } from "vitest";
import { createMatcher } from "./matcher.ts";

/** A matcher whose first tries run out of time, each using so much of a processor. */
function matcherOf(
  lateTries: number,
  cpuMsEach: number,
): { match: (text: string) => string | null; tries: () => number } {
  let [tries, cpuMs] = [0, 1_000];
  const match = createMatcher("^a+$", {
    cpuMs: () => cpuMs,
    run(_script, text) {
      tries++;
      cpuMs += cpuMsEach;
      if (tries <= lateTries) throw new Error("Script execution timed out");
      return /^a+$/.test(text);
    },
  });
  return { match, tries: () => tries };
}

test("createMatcher() tries again when the machine had no time for the expression", () => {
  const { match, tries } = matcherOf(2, 1);
  expect(match("aaa")).toBeNull();
  expect(tries()).toBe(3);
});

test("createMatcher() does not run an expression again that is slow itself", () => {
  const { match, tries } = matcherOf(2, 50);
  expect(match("aaa")).toBe("took more than 50ms to compare with");
  expect(tries()).toBe(1);
});

test("createMatcher() gives up on a machine that never has time", () => {
  const { match, tries } = matcherOf(100, 0);
  expect(match("aaa")).toBe("took more than 50ms to compare with");
  expect(tries()).toBe(4);
});

test("createMatcher() stops an expression that backtracks without end", () => {
  expect(createMatcher("^(a+)+$")(`${"a".repeat(40)}b`)).toBe("took more than 50ms to compare with");
  expect(createMatcher("^(a+)+$")("aaa")).toBeNull();
  expect(createMatcher("b")("aaa")).toBe("does not match");
});
