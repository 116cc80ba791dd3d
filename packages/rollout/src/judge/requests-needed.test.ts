import { expect, test } from "vitest";
import { parseCheck } from "../checks/parse-check.ts";
import { NO_EVIDENCE } from "./evidence.ts";
import { requestsNeeded } from "./requests-needed.ts";
import { judge } from "./verdict.ts";

test.each(["error-rate <= 1%", "error-rate <= 5%", "error-rate <= primary + 1%", "error-rate <= primary + 0.1%"])(
  "%s passes with as many requests as it needs, and not with one less",
  (text) => {
    const check = parseCheck(text);
    const needed = requestsNeeded(check, 0.99) as number;
    const state = (requests: number): string => {
      const primary = { ...NO_EVIDENCE, requests: 1_000_000_000 };
      const config = { confidence: 0.99, minimum: 1 };
      return judge(check, { target: { ...NO_EVIDENCE, requests }, primary }, config).state;
    };
    expect([state(needed), state(needed - 1)]).toEqual(["pass", "undecided"]);
  },
);

test("a primary without errors leaves nothing to be a factor of", () => {
  expect(requestsNeeded(parseCheck("error-rate <= primary * 1.2"), 0.99)).toBeNull();
});

test("a percentile needs as many as its share", () => {
  expect(requestsNeeded(parseCheck("p99 <= 300ms"), 0.99)).toBe(requestsNeeded(parseCheck("error-rate <= 1%"), 0.99));
});
