import { createAttentiveClock } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import type { Probe } from "../model/belief.ts";
import type { Check } from "../model/service-definition.ts";
import { testCheck } from "../testing/instances.ts";
import { CheckLoop, type Outcome } from "./check-loop.ts";
import { Turns } from "./turns.ts";

interface Watched {
  readonly clock: FakeClock;
  readonly loop: CheckLoop;
  /** When each probe started. */
  readonly startsMs: number[];
  readonly outcomes: Outcome[];
  mostAtOnce: number;
}

/** A loop over a prober that takes `tookMs` and gives `result`; `inDoubt` as the caller of the loop sees it. */
function watched(
  over: Partial<Check>,
  { tookMs = 0, result = { ok: true }, inDoubt = false }: { tookMs?: number; result?: Probe; inDoubt?: boolean } = {},
): Watched {
  const clock = createFakeClock();
  const [startsMs, outcomes]: [number[], Outcome[]] = [[], []];
  let running = 0;
  const prober = {
    close() {},
    async probe(): Promise<Probe> {
      startsMs.push(clock.monotonicMs());
      running++;
      state.mostAtOnce = Math.max(state.mostAtOnce, running);
      await clock.sleep(tookMs);
      running--;
      return result;
    },
  };
  const report = (outcome: Outcome): { inDoubt: boolean } => {
    outcomes.push(outcome);
    return { inDoubt };
  };
  const loop = new CheckLoop(testCheck(over), "barker@a", {
    clock,
    turns: new Turns(clock),
    patience: clock,
    prober,
    report,
  });
  const state: Watched = { clock, loop, startsMs, outcomes, mostAtOnce: 0 };
  return state;
}

const gaps = (startsMs: readonly number[]): number[] => startsMs.slice(1).map((at, i) => Math.round(at - startsMs[i]!));

test("CheckLoop makes its first check at once and the others on their turns", async () => {
  const { clock, loop, startsMs } = watched({ intervalMs: 1_000 });
  loop.start(0);
  await clock.advance(5_500);
  expect(startsMs[0]).toBe(0);
  expect(gaps(startsMs.slice(1))).toEqual(gaps(startsMs.slice(1)).map(() => 1_000));
  loop.stop();
  expect(clock.pending()).toBe(0);
});

test("CheckLoop shares its turns with other checks, where they are few", async () => {
  const clock = createFakeClock();
  const turns = new Turns(clock);
  turns.spread(20);
  const started = new Set<number>();
  const prober = { close() {}, probe: async (): Promise<Probe> => (started.add(clock.monotonicMs()), { ok: true }) };
  const report = (): { inDoubt: boolean } => ({ inDoubt: false });
  const loops = Array.from(
    { length: 20 },
    (_, i) =>
      new CheckLoop(testCheck({ intervalMs: 1_000 }), `barker@${i}`, { clock, turns, patience: clock, prober, report }),
  );
  for (const loop of loops) loop.start(0);
  await clock.advance(3_000);
  expect([...started].map((at) => at % 250)).toEqual([...started].map(() => 0));
  expect(started.size).toBe(13);
  for (const loop of loops) loop.stop();
  expect(clock.pending()).toBe(0);
});

test("CheckLoop never overlaps itself, and makes up for no turn that it missed", async () => {
  const state = watched({ intervalMs: 1_000, timeoutMs: 10_000 }, { tookMs: 2_500 });
  state.loop.start(0);
  await state.clock.advance(20_000);
  expect(state.mostAtOnce).toBe(1);
  expect(Math.min(...gaps(state.startsMs))).toBeGreaterThan(2_500);
  state.loop.stop();
});

test("CheckLoop ends a check at its time-out, and goes on", async () => {
  const { clock, loop, outcomes } = watched({ intervalMs: 1_000, timeoutMs: 500 }, { tookMs: 1e9 });
  loop.start(0);
  await clock.advance(500);
  expect(outcomes).toEqual([
    { probe: { ok: false, reason: "no answer within 500ms", cause: "timeout" }, tookMs: 500, lateMs: 0 },
  ]);
  await clock.advance(2_000);
  expect(outcomes.length).toBeGreaterThan(1);
  loop.stop();
});

test("CheckLoop checks again soon while in doubt", async () => {
  const { clock, loop, startsMs } = watched({ intervalMs: 60_000, recheckMs: 100 }, { inDoubt: true });
  loop.start(0);
  await clock.advance(350);
  expect(startsMs).toEqual([0, 100, 200, 300]);
  loop.stop();
});

test("CheckLoop checks now when asked, and not more often than makes sense", async () => {
  const { clock, loop, startsMs } = watched({ intervalMs: 60_000 });
  loop.start(0);
  await clock.advance(1_000);
  loop.checkNow();
  loop.checkNow();
  await clock.advance(0);
  loop.checkNow();
  await clock.advance(5);
  expect(startsMs).toEqual([0, 1_000]);
  await clock.advance(100);
  expect(startsMs).toEqual([0, 1_000, 1_020]);
  loop.stop();
});

test("CheckLoop checks once more when asked during a check", async () => {
  const { clock, loop, startsMs } = watched({ intervalMs: 60_000 }, { tookMs: 200 });
  loop.start(0);
  await clock.advance(100);
  loop.checkNow();
  await clock.advance(500);
  expect(startsMs).toHaveLength(2);
  loop.stop();
});

test("CheckLoop does not notice a wall clock that jumps", async () => {
  const { clock, loop, startsMs } = watched({ intervalMs: 1_000 });
  loop.start(0);
  await clock.advance(3_000);
  const before = startsMs.length;
  clock.jumpWallClock(3_600_000);
  await clock.advance(1_000);
  clock.jumpWallClock(-7_200_000);
  await clock.advance(1_000);
  expect(startsMs.length - before).toBe(2);
  loop.stop();
});

test("CheckLoop reports nothing after it was stopped", async () => {
  const { clock, loop, outcomes } = watched({}, { tookMs: 100 });
  loop.start(0);
  await clock.advance(50);
  loop.stop();
  await clock.advance(1_000);
  expect(outcomes).toEqual([]);
});

test("CheckLoop gives a check the rest of its time when Watson was stopped meanwhile", async () => {
  const clock = createFakeClock();
  const end = new AbortController();
  const answers = [Promise.withResolvers<Probe>(), Promise.withResolvers<Probe>()];
  const outcomes: Outcome[] = [];
  let asked = 0;
  const loop = new CheckLoop(testCheck({ intervalMs: 60_000, timeoutMs: 1_000 }), "barker@a", {
    clock,
    turns: new Turns(clock),
    patience: createAttentiveClock(clock, end.signal),
    prober: { close() {}, probe: () => answers[asked++]!.promise },
    report(outcome) {
      outcomes.push(outcome);
      return { inDoubt: false };
    },
  });
  loop.start(0);
  await clock.advance(500);
  clock.stall(30_000);
  await clock.advance(0); // timers come before the answer that lies in the socket
  expect(outcomes).toEqual([]);
  answers[0]?.resolve({ ok: true });
  await clock.advance(0);
  expect(outcomes).toMatchObject([{ probe: { ok: true } }]);
  loop.checkNow();
  await clock.advance(1_500);
  expect(outcomes[1]).toMatchObject({ probe: { ok: false, cause: "timeout" } });
  loop.stop();
  end.abort();
});

test("CheckLoop takes a prober that throws at once for a check that failed, and goes on", async () => {
  const clock = createFakeClock();
  const outcomes: Outcome[] = [];
  const prober = {
    close() {},
    probe(): Promise<Probe> {
      throw new TypeError("url is undefined");
    },
  };
  const report = (outcome: Outcome): { inDoubt: boolean } => {
    outcomes.push(outcome);
    return { inDoubt: false };
  };
  const loop = new CheckLoop(testCheck({ intervalMs: 1_000 }), "barker@a", {
    clock,
    turns: new Turns(clock),
    patience: clock,
    prober,
    report,
  });
  loop.start(0);
  await clock.advance(3_500);
  expect(outcomes.length).toBeGreaterThan(2);
  expect(outcomes[0]?.probe).toEqual({ ok: false, reason: "url is undefined" });
  loop.stop();
});
