import { noLog, ProblemBoard, systemClock } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { MonitorRunner } from "./monitor-runner.ts";
import { testCheck, testDefinition, wantedSet } from "../testing/instances.ts";
import { createAuthorities } from "../machine/authorities.ts";
import { createLookup } from "../machine/lookup.ts";
import { createTrafficLookup } from "../machine/traffic-lookup.ts";

const lookup = createLookup({ clock: systemClock });
const TTL_MS = 1_000;
const heartbeat = testCheck({ id: "ttl", fall: 1, probe: { kind: "ttl", ttlMs: TTL_MS } });

/** A monitor whose instances live by heartbeats, so that a fake clock moves all that it does. */
function fixture() {
  const clock = createFakeClock();
  const told: string[] = [];
  const monitor = new MonitorRunner({
    clock,
    patience: clock,
    log: noLog,
    board: new ProblemBoard(),
    probers: {
      lookup,
      trafficLookup: createTrafficLookup(lookup),
      secureContext: createAuthorities(null, { clock: systemClock }),
      fingerprint: null,
      env: {},
    },
    earlyFailureProbes: { create: () => null },
    wasLive: () => false,
  });
  monitor.observe({ healthChanged: ({ name }, { state }) => void told.push(`${name} ${state}`) });
  const states = (): string[] =>
    [...monitor.announcements().values()].map(({ registration }) => `${registration.name} ${registration.state}`);
  return { clock, monitor, told, states };
}

test("MonitorRunner announces an instance once it is decided, and tells each change", async () => {
  const { clock, monitor, told, states } = fixture();
  monitor.apply(wantedSet(testDefinition({ checks: [heartbeat] })));
  expect(states()).toEqual([]);
  expect(monitor.beat("barker@a")).toBe(1);
  expect(states()).toEqual(["a live"]);
  await clock.advance(TTL_MS);
  expect(states()).toEqual(["a down"]);
  expect(told).toEqual(["a live", "a down"]);
  monitor.stop();
  expect(clock.pending()).toBe(0);
});

test("MonitorRunner.decided() waits for the first checks, and not for ever", async () => {
  const { clock, monitor } = fixture();
  monitor.apply(
    wantedSet(testDefinition({ name: "a", checks: [heartbeat] }), testDefinition({ name: "b", checks: [heartbeat] })),
  );
  let decided = false;
  void monitor.decided(500, new AbortController().signal).then(() => (decided = true));
  monitor.beat("barker@a");
  await clock.advance(499);
  expect(decided).toBe(false);
  await clock.advance(1);
  expect(decided).toBe(true);
  monitor.stop();
});

test("MonitorRunner.decided() ends as soon as every instance has its answer", async () => {
  const { clock, monitor } = fixture();
  monitor.apply(wantedSet(testDefinition({ checks: [heartbeat] })));
  let decided = false;
  void monitor.decided(60_000, new AbortController().signal).then(() => (decided = true));
  monitor.beat("barker@a");
  await clock.advance(0);
  expect(decided).toBe(true);
  monitor.stop();
});

test("MonitorRunner lets go of a removed instance when its drain is over", async () => {
  const { clock, monitor, states } = fixture();
  monitor.apply(
    wantedSet(testDefinition({ checks: [{ ...heartbeat, probe: { kind: "ttl", ttlMs: 60_000 } }], drainMs: 5_000 })),
  );
  monitor.beat("barker@a");
  monitor.apply(wantedSet());
  expect(states()).toEqual(["a draining"]);
  await clock.advance(5_001);
  expect(states()).toEqual([]);
  expect(clock.pending()).toBe(0);
});

test("MonitorRunner.drain() announces live instances as draining, and says how long they want", () => {
  const { clock, monitor, states } = fixture();
  monitor.apply(
    wantedSet(
      testDefinition({ name: "a", checks: [heartbeat], drainMs: 3_000 }),
      testDefinition({ name: "b", checks: [heartbeat], drainMs: 60_000 }),
    ),
  );
  monitor.beat("barker@a");
  expect(monitor.drain()).toBe(3_000);
  expect(states()).toEqual(["a draining"]);
  expect(clock.pending()).toBe(0);
});
