import fc from "@datawire/protocol/testing/random";
import { rolloutFile } from "@datawire/api";
import { describe, expect, test } from "vitest";
import { NO_EVIDENCE } from "../judge/evidence.ts";
import { readPlan } from "../plan/read-plan.ts";
import { asksGate, look, type Look } from "./look.ts";
import { isOver, type Rollout, type RolloutState } from "./rollout.ts";
import { abort, begin, pause, promote, promoted, resume, type Turn } from "./turns.ts";

const LOOK_MS = 5_000;
const plan = (file: object = {}) =>
  readPlan(
    rolloutFile.parse({ target: "//barker(2)", steps: "10%:10s,50%:10s", checks: ["error-rate <= 1%"], ...file }),
  );

const seen = (
  change: Partial<Look> & { readonly requests?: number; readonly errors?: number; readonly live?: boolean } = {},
): Look => {
  const { requests = 1_000, errors = 0, live = true, ...rest } = change;
  return {
    nowMs: 0,
    watchedMs: LOOK_MS,
    counted: { target: { ...NO_EVIDENCE, requests, errors }, primary: { ...NO_EVIDENCE, requests: 9 * requests } },
    deadMs: live ? null : LOOK_MS,
    values: new Map(),
    agreed: null,
    ...rest,
  };
};

/** Looks one after the other, with all that followed for the routes. */
function run(start: Turn, looks: readonly Look[]): { rollout: Rollout; acts: unknown[] } {
  let turn = start;
  const acts: unknown[] = [turn.act];
  for (const one of looks) {
    turn = look(turn.rollout, one);
    if (turn.act !== null) acts.push(turn.act);
  }
  return { rollout: turn.rollout, acts };
}

const times = (count: number, one: Look): Look[] => Array.from({ length: count }, () => one);

test("a good version goes through its steps and is promoted", () => {
  const { rollout, acts } = run(begin(plan(), 0), times(4, seen()));
  expect(acts).toEqual([{ kind: "share", share: 1_000 }, { kind: "share", share: 5_000 }, { kind: "promote" }]);
  expect(rollout.state).toBe("promoting");
  expect(promoted(rollout).state).toBe("promoted");
  expect(rollout.steps.map(({ state }) => state)).toEqual(["passed", "passed"]);
});

test("with keep, the last share stays", () => {
  const { rollout, acts } = run(begin(plan({ finish: "keep" }), 0), times(4, seen()));
  expect(acts.at(-1)).toEqual({ kind: "share", share: 5_000 });
  expect(rollout.state).toBe("promoted");
});

test("a bad version is taken back at once, with the numbers", () => {
  const { rollout, acts } = run(begin(plan(), 0), [seen({ requests: 400, errors: 20 }), seen()]);
  expect(acts).toEqual([{ kind: "share", share: 1_000 }, { kind: "restore" }]);
  expect(rollout).toMatchObject({ state: "rolled-back", step: 0, steps: [{ state: "failed" }, { state: "waiting" }] });
  expect(rollout.reason).toMatch(
    /^error-rate <= 1% failed: 5%, at least [\d.]+%, of 400 requests, where 1% is the limit$/,
  );
});

test("each step is judged by its own requests alone", () => {
  const { rollout } = run(begin(plan(), 0), [seen(), seen({ requests: 2_000 })]);
  expect(rollout).toMatchObject({ step: 1, steps: [{ target: { requests: 2_000 } }, { target: { requests: 0 } }] });
});

test("a step ends when it was watched for as long as it says, and not before", () => {
  const { rollout } = run(begin(plan(), 0), times(9, seen({ watchedMs: 1_000 })));
  expect(rollout.step).toBe(0);
  expect(look(rollout, seen({ watchedMs: 1_000 })).rollout.step).toBe(1);
});

test("a target without a live instance for 10 s is taken back, one that comes back in time is not", () => {
  const dead = seen({ live: false, requests: 0 });
  const once = run(begin(plan(), 0), [dead, seen({ requests: 0 }), dead]).rollout;
  expect(once.state).toBe("running");
  expect(look(once, dead).rollout).toMatchObject({
    state: "rolled-back",
    reason: "//barker(2) had no live instance for 10 s",
  });
});

describe("at the time-out of a step", () => {
  const late = (file: object, one: Look): Rollout => run(begin(plan(file), 0), times(6, one)).rollout;
  const none = seen({ requests: 0 });
  const few = seen({ requests: 60 });

  test.each<[object, Look, RolloutState, number]>([
    [{}, none, "running", 0],
    [{ no_data: "pause" }, none, "paused", 0],
    [{ no_data: "fail" }, none, "rolled-back", 0],
    [{ no_data: "pass" }, none, "running", 1],
    [{}, few, "paused", 0],
    [{ undecided: "wait" }, few, "running", 0],
    [{ undecided: "fail" }, few, "rolled-back", 0],
    [{ undecided: "pass" }, few, "running", 1],
  ])("%j decides", (file, one, state, step) => {
    expect(late(file, one)).toMatchObject({ state, step });
  });

  test("the strictest policy decides where checks are open in different ways", () => {
    const query = { metric: "m", prometheus: "http://p", query: "q", limit: "<= 1" };
    const both = { checks: ["error-rate <= 1%", query], no_data: "pass", undecided: "pause" };
    expect(late(both, few)).toMatchObject({
      state: "paused",
      reason: "error-rate <= 1% is undecided, m is without data in time",
    });
  });
});

describe("a query", () => {
  const query = { metric: "checkout", prometheus: "http://p", query: "q", limit: "<= 0.5", failures: 2 };
  const says = (value?: number): Look => seen({ values: new Map(value === undefined ? [] : [["checkout", value]]) });

  test("fails only when it was beyond its limit so many times in a row", () => {
    const start = begin(plan({ checks: [query] }), 0);
    expect(run(start, [says(0.9), says(0.1), says(0.9)]).rollout.state).toBe("running");
    expect(run(start, [says(0.9), says(0.9)]).rollout).toMatchObject({
      state: "rolled-back",
      reason: "checkout failed: 0.9, where 0.5 is the limit",
    });
  });

  test("that gave no number in time is the reason of what that comes to, with why", () => {
    const silent = seen({ values: new Map([["checkout", { why: "is answered with 500" }]]) });
    const start = begin(plan({ checks: [query], no_data: "pause" }), 0);
    expect(run(start, times(6, silent)).rollout).toMatchObject({
      state: "paused",
      reason: "checkout is without data in time: it is answered with 500",
    });
  });

  test("that gives no answer is no data, and never a pass", () => {
    const start = begin(plan({ checks: [query] }), 0);
    expect(run(start, [says(0.9), says(), says(0.9)]).rollout.state).toBe("rolled-back");
    expect(run(start, times(10, says())).rollout).toMatchObject({ state: "running", step: 0 });
  });
});

describe("a gate", () => {
  const NO = { why: "is answered with 503" };
  const gated = { steps: [{ share: 10, for: "10s", gate: "http://ci/ok" }, "50%:10s"] };

  test("is asked once all else has passed, and the step ends when it agrees", () => {
    const one = look(begin(plan(gated), 0).rollout, seen()).rollout;
    expect(asksGate(one)).toBe(false);
    const two = look(one, seen()).rollout;
    expect([two.step, asksGate(two)]).toEqual([0, true]);
    const refused = look(two, seen({ agreed: NO })).rollout;
    expect([refused.step, asksGate(refused)]).toEqual([0, true]);
    expect(look(refused, seen({ agreed: true })).rollout.step).toBe(1);
  });

  test("is the reason why a step goes on, until it agrees or a check no longer passes", () => {
    const reasons = (...looks: Look[]) =>
      looks.reduce<{ rollout: Rollout; said: (string | null)[] }>(
        ({ rollout, said }, one) => {
          const { rollout: after } = look(rollout, one);
          return { rollout: after, said: [...said, after.reason] };
        },
        { rollout: begin(plan(gated), 0).rollout, said: [] },
      ).said;
    const waits = "the gate of step 1 does not agree: it is answered with 503";
    const undecided = seen({ requests: 30 });
    expect(reasons(seen(), seen(), seen({ agreed: NO }), seen(), seen({ agreed: true }))).toEqual([
      null,
      null,
      waits,
      waits,
      null,
    ]);
    expect(reasons(seen(), seen({ agreed: NO }), undecided)).toEqual([null, waits, null]);
  });

  test("that never agrees is undecided", () => {
    expect(run(begin(plan(gated), 0), times(6, seen({ agreed: NO }))).rollout).toMatchObject({
      state: "paused",
      reason: "the gate has not agreed in time: it is answered with 503",
    });
    expect(run(begin(plan(gated), 0), times(6, seen())).rollout.reason).toBe("the gate has not agreed in time");
  });
});

describe("by hand", () => {
  test("a pause keeps the shares and nothing is judged until it goes on, with the step's share and numbers anew", () => {
    const one = look(begin(plan(), 0).rollout, seen()).rollout;
    const stopped = pause(one, "paused by ann");
    expect(stopped).toMatchObject({ act: null, rollout: { state: "paused", reason: "paused by ann" } });
    expect(look(stopped.rollout, seen({ errors: 1_000 }))).toEqual({ rollout: stopped.rollout, act: null });
    const on = resume(stopped.rollout, 7);
    expect(on).toMatchObject({
      act: { kind: "share", share: 1_000 },
      rollout: { state: "running", reason: null, steps: [{ startedAtMs: 7, watchedMs: 0, target: NO_EVIDENCE }, {}] },
    });
  });

  test("a step that pauses goes on with the next one", () => {
    const pausing = { steps: [{ share: 10, for: "10s", pause: true }, "50%:10s"] };
    const { rollout } = run(begin(plan(pausing), 0), times(2, seen()));
    expect(rollout).toMatchObject({ state: "paused", step: 0, reason: "step 1 has passed and waits for a hand" });
    expect(resume(rollout, 0)).toMatchObject({ act: { kind: "share", share: 5_000 }, rollout: { step: 1 } });
  });

  test("abort restores, promote goes to the end or to the next step", () => {
    const { rollout } = begin(plan(), 0);
    expect(abort(rollout, "by ann")).toMatchObject({ act: { kind: "restore" }, rollout: { state: "aborted" } });
    expect(promote(rollout, { oneStep: false, nowMs: 0 }).act).toEqual({ kind: "promote" });
    const next = promote(rollout, { oneStep: true, nowMs: 0 });
    expect(next.act).toEqual({ kind: "share", share: 5_000 });
    expect(promote(next.rollout, { oneStep: true, nowMs: 0 }).act).toEqual({ kind: "promote" });
  });
});

test("whatever happens, shares only grow within a rollout, what is over stays, and each end says what becomes of the routes", () => {
  const step = fc.oneof(
    fc.record({ requests: fc.nat(2_000), errors: fc.nat(30), live: fc.boolean(), watchedMs: fc.nat(6_000) }),
    fc.constantFrom("pause", "resume", "abort", "promote", "next" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (happens) => {
      let turn = begin(plan(), 0);
      let share = 1_000;
      for (const one of happens) {
        const before = turn.rollout;
        turn = typeof one === "string" ? command(before, one) : look(before, seen(one));
        if (isOver(before.state)) expect(turn).toEqual({ rollout: before, act: null });
        if (turn.act?.kind === "share") {
          expect(turn.act.share).toBeGreaterThanOrEqual(share);
          ({ share } = turn.act);
        }
        const { state } = turn.rollout;
        if (state === "rolled-back" || state === "aborted") {
          if (!isOver(before.state)) expect(turn.act).toEqual({ kind: "restore" });
        }
        if (state === "promoting" && before.state !== "promoting") expect(turn.act).toEqual({ kind: "promote" });
      }
    }),
  );
});

function command(rollout: Rollout, name: "pause" | "resume" | "abort" | "promote" | "next"): Turn {
  switch (name) {
    case "pause":
      return pause(rollout, "by hand");
    case "resume":
      return resume(rollout, 0);
    case "abort":
      return abort(rollout, "by hand");
    case "promote":
      return promote(rollout, { oneStep: false, nowMs: 0 });
    case "next":
      return promote(rollout, { oneStep: true, nowMs: 0 });
  }
}
