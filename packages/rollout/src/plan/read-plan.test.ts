import { rolloutFile } from "@datawire/api";
import { expect, test } from "vitest";
import { readPlan } from "./read-plan.ts";

const read = (file: unknown) => readPlan(rolloutFile.parse(file), ["services"]);

test("a target alone is a whole plan", () => {
  expect(read({ target: "//services/barker:2" })).toMatchObject({
    target: "//barker(2)",
    from: null,
    steps: [
      { share: 100, forMs: 300_000, gate: null, pause: false },
      { share: 1_000, forMs: 600_000 },
      { share: 5_000, forMs: 600_000 },
    ],
    checks: [{ name: "error-rate <= primary + 1%" }],
    noData: "wait",
    undecided: "pause",
    stepTimeoutMs: null,
    minimum: 20,
    confidence: 0.99,
    sticky: null,
    finish: "promote",
  });
});

test("everything that a file can say is read", () => {
  expect(
    read({
      target: "//barker(2)",
      from: "//monolith",
      steps: ["1%:5m", { share: "10%", for: "10m", gate: "https://ci/ok" }, { share: 50, for: 60, pause: true }],
      checks: [
        "error-rate <= 1%",
        "p99 <= primary * 1.2",
        { metric: "checkout", prometheus: "https://prom", query: "x", limit: "<= 0.5", failures: 3 },
      ],
      no_data: "fail",
      undecided: "wait",
      step_timeout: "30m",
      minimum: 100,
      confidence: "95%",
      sticky: "cookie:user",
      finish: "keep",
    }),
  ).toMatchObject({
    from: "monolith",
    steps: [
      { share: 100 },
      { share: 1_000, forMs: 600_000, gate: "https://ci/ok", pause: false },
      { share: 5_000, forMs: 60_000, gate: null, pause: true },
    ],
    checks: [{ kind: "error-rate" }, { kind: "latency" }, { kind: "query", compare: "<=", value: 0.5, failures: 3 }],
    noData: "fail",
    undecided: "wait",
    stepTimeoutMs: 1_800_000,
    minimum: 100,
    confidence: 0.95,
    sticky: "cookie:user",
    finish: "keep",
  });
});

test.each([
  [{ target: "//barker@vm102" }, "keep"],
  [{ target: "//barker(2)", from: "//monolith" }, "keep"],
  [{ target: "//barker(2)", from: "//*" }, "promote"],
])("%j ends with %s where nothing is said", (file, finish) => {
  expect(read(file).finish).toBe(finish);
});

test.each([
  [{ target: "//barker" }, 'target: Cannot use "//barker": it names no version, such as //barker(2)'],
  [{ target: "//Barker(2)" }, "target: Cannot use"],
  [{ target: "//barker@vm102", finish: "promote" }, "finish: Cannot use"],
  [{ target: "//barker(2)", from: "//monolith(1)" }, "from: Cannot use"],
  [{ target: "//barker(2)", steps: "10%" }, 'steps: Cannot use "10%": wanted SHARE:DURATION'],
  [{ target: "//barker(2)", steps: "10%:5m:1" }, "steps: Cannot use"],
  [{ target: "//barker(2)", steps: "10%:5m,10%:5m" }, "it follows 10%, and each step has more"],
  [{ target: "//barker(2)", steps: "0%:5m" }, "a step has a share above 0%"],
  [{ target: "//barker(2)", steps: "101%:5m" }, "it is more than 100%"],
  [{ target: "//barker(2)", steps: "10%:0s" }, "wanted more than 0s"],
  [{ target: "//barker(2)", checks: ["error-rate <= 1%", "error-rate<=1%"] }, "it is there twice"],
  [{ target: "//barker(2)", confidence: "100%" }, "it is 50% to 99.99%"],
  [{ target: "//barker(2)", sticky: "user" }, "sticky: Cannot use"],
  [
    { target: "//barker(2)", checks: [{ metric: "m", prometheus: "http://p", query: "q", limit: "0.5" }] },
    'limit: Cannot use "0.5": wanted <=, <, >= or > and a number',
  ],
])("refuses %j: %s", (file, why) => {
  expect(() => read(file)).toThrow(why);
});
