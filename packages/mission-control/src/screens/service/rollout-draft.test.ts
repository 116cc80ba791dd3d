import { expect, test } from "vitest";
import { needText, type RolloutDraft, rolloutArguments, rolloutBody, STANDARD_DRAFT } from "./rollout-draft.ts";

const FULL: RolloutDraft = {
  target: "//barker(2)",
  from: "//monolith",
  steps: " 5%:1m ",
  checks: "error-rate <= 1%, p99 <= 300ms",
  noData: "pass",
  undecided: "fail",
  minimum: "50",
  stepTimeout: "30m",
  confidence: "99.9%",
  sticky: "ip",
  finish: "keep",
};

test("rolloutBody() and rolloutArguments() say the same, all of it", () => {
  expect(rolloutBody(FULL)).toEqual({
    target: "//barker(2)",
    from: "//monolith",
    steps: "5%:1m",
    checks: ["error-rate <= 1%", "p99 <= 300ms"],
    no_data: "pass",
    undecided: "fail",
    minimum: 50,
    step_timeout: "30m",
    confidence: "99.9%",
    sticky: "ip",
    finish: "keep",
  });
  expect(rolloutArguments(FULL)).toEqual(
    ["//barker(2)", "--from", "//monolith", "--steps", "5%:1m", "--check", "error-rate <= 1%", "p99 <= 300ms"].concat(
      ["--no-data", "pass", "--undecided", "fail", "--minimum", "50", "--step-timeout", "30m"],
      ["--confidence", "99.9%", "--sticky", "ip", "--finish", "keep"],
    ),
  );
});

test("rolloutBody() and rolloutArguments() leave out what is empty", () => {
  const draft = { ...STANDARD_DRAFT, target: "//barker(2)", steps: "", checks: " " };
  expect(rolloutBody(draft)).toEqual({ target: "//barker(2)", no_data: "wait", undecided: "pause" });
  expect(rolloutArguments(draft)).toEqual(["//barker(2)"]);
});

test.each([
  [590, [2], "x needs 590 requests without a bad one, which takes 2 s in the first step at the rate of now."],
  [590, [null], "x needs 590 requests without a bad one; how long that takes is not known without requests."],
  [null, [null], "x cannot pass while the primary has no errors to compare with."],
])("needText() of %j requests: %j", (requests, seconds, expected) => {
  expect(needText({ name: "x", requests, seconds })).toBe(expected);
});
