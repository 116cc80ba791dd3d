import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { Liveness } from "./liveness.ts";

function create() {
  const clock = createFakeClock();
  const pings: number[] = [];
  const liveness = new Liveness(
    { heartbeatMs: 5_000, leaseMs: 15_000 },
    { clock, ping: () => void pings.push(clock.monotonicMs()) },
  );
  const tick = (): number | null => liveness.tick(clock.monotonicMs());
  return { clock, liveness, pings, tick };
}

test("Liveness.tick() pings once a heartbeat, and says when there was silence for a lease", async () => {
  const { clock, liveness, pings, tick } = create();
  const silent: (number | null)[] = [];
  for (let second = 1; second <= 20; second++) {
    await clock.advance(1_000);
    if (second === 4) liveness.heard();
    silent.push(tick());
  }
  expect(pings).toEqual([5_000, 10_000, 15_000]);
  expect(silent.slice(0, 18)).toEqual(Array.from({ length: 18 }, () => null));
  expect(silent[18]).toBe(15_000);
});

test("Liveness.tick() counts no silence of a connection that is not read", async () => {
  const { clock, liveness, pings, tick } = create();
  await clock.advance(10_000);
  liveness.listen(false);
  await clock.advance(60_000);
  expect(tick()).toBe(null);
  expect(pings).toEqual([70_000]);
  liveness.listen(true);
  await clock.advance(14_999);
  expect(tick()).toBe(null);
  await clock.advance(1);
  expect(tick()).toBe(15_000);
});

test("Liveness.challenge() asks at once, and any word says yes to all who asked", async () => {
  const { clock, liveness, pings } = create();
  const giveUp = (): never => expect.fail("it was heard");
  const answers = Promise.all([liveness.challenge(giveUp), liveness.challenge(giveUp)]);
  expect(pings).toEqual([0, 0]);
  await clock.advance(1_999);
  liveness.heard();
  expect(await answers).toEqual([true, true]);
  expect(clock.pending()).toBe(0);
});

test("Liveness.challenge() gives up after two seconds, and the end of the link says no", async () => {
  const { clock, liveness } = create();
  const answer = liveness.challenge(() => liveness.end());
  await clock.advance(2_000);
  expect(await answer).toBe(false);
  expect(clock.pending()).toBe(0);
});
