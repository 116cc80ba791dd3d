import { rolloutFile } from "@datawire/api";
import { begin, look, NO_EVIDENCE, readPlan } from "@datawire/rollout";
import { expect, test } from "vitest";
import type { RolloutRecord } from "../model/rollout-records.ts";
import { Asking } from "./asking.ts";
import type { Questions } from "./questions.ts";

const QUERY = { metric: "checkout", prometheus: "http://p", query: "q", limit: "<= 0.5" };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A rollout whose first step has been watched for its time, with all that was counted good. */
function record(file: object): RolloutRecord {
  const plan = readPlan(rolloutFile.parse({ target: "//barker(2)", steps: "10%:10s", ...file }));
  const evidence = { ...NO_EVIDENCE, requests: 10_000 };
  const seen = {
    nowMs: 0,
    watchedMs: 10_000,
    counted: { target: evidence, primary: evidence },
    deadMs: null,
    values: new Map([["checkout", 0.1]]),
    agreed: null,
  };
  const { rollout } = look(begin(plan, 0).rollout, seen);
  return {
    id: "1",
    service: "barker",
    caller: "*",
    rollout,
    before: null,
    ours: null,
    shared: false,
    by: "ann",
    startedAtMs: 0,
    endedAtMs: null,
    judge: "own",
  };
}

function asking(gate: Awaited<ReturnType<Questions["agrees"]>> = true) {
  const asked: string[] = [];
  const made = new Asking({
    query: async ({ name }, version) => {
      asked.push(`${name} of ${version}`);
      return 0.2;
    },
    agrees: async (url) => {
      asked.push(url);
      return gate;
    },
  });
  return { asked, made };
}

test("Asking asks nobody for a rollout that needs no one", () => {
  const { asked, made } = asking();
  expect(made.answersFor(record({ checks: ["error-rate <= 50%"] }), 0)).toEqual({ values: new Map(), agreed: null });
  expect(asked).toEqual([]);
});

test("Asking has a look wait for its queries, and asks each of them every 5 s at the most", async () => {
  const { asked, made } = asking();
  const one = record({ steps: "10%:5m", checks: [QUERY] });
  expect(made.answersFor(one, 0)).toBeNull();
  await settled();
  expect(made.answersFor(one, 100)).toEqual({ values: new Map([["checkout", 0.2]]), agreed: null });
  expect(made.answersFor(one, 4_900)).toBeNull();
  expect(asked).toEqual(["checkout of 2"]);
  expect(made.answersFor(one, 5_000)).toBeNull();
  expect(asked).toHaveLength(2);
});

test("Asking asks a gate once all else has passed, and other looks go on meanwhile", async () => {
  const { asked, made } = asking();
  const gated = record({ steps: [{ share: 10, for: "10s", gate: "http://ci/ok" }], checks: ["error-rate <= 50%"] });
  expect(made.answersFor(gated, 0)).toBeNull();
  await settled();
  expect(made.answersFor(gated, 100)).toEqual({ values: new Map(), agreed: true });
  expect(made.answersFor(gated, 1_000)).toEqual({ values: new Map(), agreed: null });
  expect(asked).toEqual(["http://ci/ok"]);
});

test("Asking has the queries that gave no number, and why, until they give one", async () => {
  const said: (number | { why: string })[] = [{ why: "gives 0 samples, wanted one" }, 0.2];
  const made = new Asking({ query: async () => said.shift() ?? 0, agrees: async () => true });
  const one = record({ steps: "10%:5m", checks: [QUERY] });
  for (const [atMs, silent] of [
    [0, [{ what: "query checkout", why: "gives 0 samples, wanted one" }]],
    [5_000, []],
  ] as const) {
    expect(made.answersFor(one, atMs)).toBeNull();
    await settled();
    expect(made.silent).toEqual(silent);
    const value = atMs === 0 ? { why: "gives 0 samples, wanted one" } : 0.2;
    expect(made.answersFor(one, atMs + 100)?.values).toEqual(new Map([["checkout", value]]));
  }
});

test("Asking names a gate that does not answer, and not one that says no", async () => {
  const gated = record({ steps: [{ share: 10, for: "10s", gate: "http://ci/ok" }], checks: ["error-rate <= 50%"] });
  const [away, no] = [
    { why: "is not answered: timed out", isSilent: true },
    { why: "is answered with 503", isSilent: false },
  ];
  for (const [gate, silent] of [
    [away, [{ what: "gate of step 1", why: away.why }]],
    [no, []],
  ] as const) {
    const { made } = asking(gate);
    expect(made.answersFor(gated, 0)).toBeNull();
    await settled();
    expect(made.answersFor(gated, 100)).toEqual({ values: new Map(), agreed: gate });
    expect(made.silent).toEqual(silent);
  }
});
