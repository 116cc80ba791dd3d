import { expect, test } from "vitest";
import { errorsFirst, linkOf, ofTraces, type Problem } from "./problems.ts";

const problem = (subject: string, severity: "error" | "warning"): Problem => ({
  subject,
  severity,
  message: "",
  remedy: null,
});

test.each([
  ["//barker", ["services", "barker"]],
  ["//barker@vm1", ["services", "barker"]],
  ["service //barker", ["services", "barker"]],
  ["watson vm1", ["agents"]],
  ["guard", ["guard"]],
  ["disk", null],
])("linkOf() of %s leads to %j", (subject, expected) => {
  expect(linkOf(subject)).toEqual(expected);
});

test("errorsFirst() keeps the order of those that are alike", () => {
  const problems = [problem("a", "warning"), problem("b", "error"), problem("c", "warning"), problem("d", "error")];
  expect(errorsFirst(problems).map(({ subject }) => subject)).toEqual(["b", "d", "a", "c"]);
});

test("ofTraces() has what is wrong with traces and logs, and nothing else", () => {
  const problems = [problem("//traces", "error"), problem("traces", "warning"), problem("disk", "error")];
  expect(ofTraces(problems)).toEqual([problem("traces", "warning")]);
});
