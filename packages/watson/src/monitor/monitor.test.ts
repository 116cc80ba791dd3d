import { expect, test } from "vitest";
import type { Probe } from "../model/belief.ts";
import type { ServiceDefinition } from "../model/service-definition.ts";
import { Monitor } from "./monitor.ts";
import { testCheck, testDefinition, wantedSet } from "../testing/instances.ts";

const PASS: Probe = { ok: true };
const FAIL: Probe = { ok: false, reason: "503" };

/** Reports an outcome for every check of the instances at a URL. */
function probe(monitor: Monitor, url: string, outcome: Probe, nowMs = 0): void {
  for (const { monitoredId, instance, check } of monitor.tasks()) {
    if (instance.url === url) monitor.observe({ monitoredId, checkId: check.id, probe: outcome }, nowMs);
  }
}

function announced(monitor: Monitor, nowMs = 0): Record<string, string> {
  const entries = [...monitor.registrations(nowMs)].map(([key, { registration }]) => [
    key,
    `${registration.state} ${registration.url}`,
  ]);
  return Object.fromEntries(entries);
}

function monitorOf(...instances: ServiceDefinition[]): Monitor {
  const monitor = new Monitor();
  monitor.apply(wantedSet(...instances), 0);
  for (const { url } of instances) probe(monitor, url, PASS);
  return monitor;
}

const OLD = "http://127.0.0.1:1";
const NEW = "http://127.0.0.1:2";

test("Monitor announces an instance after its first check, not before", () => {
  const monitor = new Monitor();
  monitor.apply(wantedSet(testDefinition()), 0);
  expect(announced(monitor)).toEqual({});
  expect(monitor.isDecided()).toBe(false);
  probe(monitor, OLD, FAIL);
  expect(announced(monitor)).toEqual({ "barker@a": `down ${OLD}` });
  expect(monitor.isDecided()).toBe(true);
});

test("Monitor announces at once what was live before a restart, and needs as many failures as ever to take it out", () => {
  const monitor = new Monitor(() => true);
  monitor.apply(wantedSet(testDefinition()), 0);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
  probe(monitor, OLD, FAIL);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Monitor keeps the state of an instance whose weight, tags or checks were edited", () => {
  const monitor = monitorOf(testDefinition());
  const other = testDefinition({ weight: 7, checks: [testCheck({ id: "other" }), testCheck({ id: "third" })] });
  monitor.apply(wantedSet(other), 0);
  expect(monitor.registrations(0).get("barker@a")?.registration).toMatchObject({ state: "live", weight: 7 });
  probe(monitor, OLD, FAIL);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Monitor needs all checks of an instance to pass", () => {
  const monitor = new Monitor();
  monitor.apply(wantedSet(testDefinition({ checks: [testCheck({ id: "x" }), testCheck({ id: "y", fall: 1 })] })), 0);
  const [x, y] = [...monitor.tasks()];
  monitor.observe({ monitoredId: x!.monitoredId, checkId: "x", probe: PASS }, 0);
  expect(announced(monitor)).toEqual({});
  monitor.observe({ monitoredId: y!.monitoredId, checkId: "y", probe: PASS }, 0);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
  monitor.observe({ monitoredId: y!.monitoredId, checkId: "y", probe: FAIL }, 0);
  expect(monitor.registrations(0).get("barker@a")?.registration.reason).toBe("503");
});

test("Monitor announces the old URL until the new one is live", () => {
  const monitor = monitorOf(testDefinition());
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
  probe(monitor, NEW, FAIL);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
  probe(monitor, NEW, PASS);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${NEW}` });
  expect([...monitor.tasks()].map(({ instance }) => instance.url)).toEqual([NEW]);
});

test("Monitor turns to the new URL when the old one has failed", () => {
  const monitor = monitorOf(testDefinition());
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  probe(monitor, NEW, FAIL);
  for (let i = 0; i < 3; i++) probe(monitor, OLD, FAIL);
  expect(announced(monitor)).toEqual({ "barker@a": `down ${NEW}` });
});

test("Monitor stays with the old URL when the edit is taken back", () => {
  const monitor = monitorOf(testDefinition());
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  monitor.apply(wantedSet(testDefinition()), 0);
  probe(monitor, NEW, PASS);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Monitor drains a live instance that is wanted no more, then lets it go", () => {
  const monitor = monitorOf(testDefinition({ drainMs: 5_000 }));
  monitor.apply(wantedSet(), 1_000);
  expect(announced(monitor)).toEqual({ "barker@a": `draining ${OLD}` });
  expect(monitor.nextMs(1_000)).toBe(6_000);
  monitor.tick(5_999);
  expect(announced(monitor)).toEqual({ "barker@a": `draining ${OLD}` });
  monitor.tick(6_000);
  expect(announced(monitor)).toEqual({});
  expect([...monitor.tasks()]).toEqual([]);
});

test("Monitor lets go at once of an instance that is down, or wants no drain", () => {
  const monitor = monitorOf(testDefinition({ name: "a", drainMs: 0 }), testDefinition({ name: "b", url: NEW }));
  for (let i = 0; i < 3; i++) probe(monitor, NEW, FAIL);
  monitor.apply(wantedSet(), 0);
  expect(announced(monitor)).toEqual({});
});

test("Monitor takes back an instance that returns while it drains", () => {
  const monitor = monitorOf(testDefinition());
  monitor.apply(wantedSet(), 0);
  monitor.apply(wantedSet(testDefinition()), 10);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Monitor keeps an instance until what its file has instead is live", () => {
  const monitor = monitorOf(testDefinition({ name: "a" }));
  monitor.apply(wantedSet(testDefinition({ name: "b", url: NEW })), 0);
  expect(announced(monitor)).toEqual({ "barker@a": `live ${OLD}` });
  probe(monitor, NEW, PASS, 5);
  expect(announced(monitor, 5)).toEqual({ "barker@a": `draining ${OLD}`, "barker@b": `live ${NEW}` });
});

test("Monitor does not wait for an instance of another file or service", () => {
  const monitor = monitorOf(testDefinition({ name: "a" }));
  const elsewhere = { file: "other.yaml", line: 1, column: 1 };
  monitor.apply(
    wantedSet(testDefinition({ name: "b", url: NEW, source: elsewhere }), testDefinition({ service: "x" })),
    0,
  );
  expect(announced(monitor)).toMatchObject({ "barker@a": `draining ${OLD}` });
});

test("Monitor holds a flapping instance down until it is calm", () => {
  const monitor = monitorOf(testDefinition({ checks: [testCheck({ fall: 1 })] }));
  for (let i = 0; i < 10; i++) probe(monitor, OLD, i % 2 === 0 ? FAIL : PASS, i);
  expect(announced(monitor, 9)).toEqual({ "barker@a": `down ${OLD}` });
  const backMs = monitor.nextMs(9)!;
  expect(announced(monitor, backMs)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Monitor announces every live instance as draining once it stops", () => {
  const monitor = monitorOf(testDefinition({ name: "a" }), testDefinition({ name: "b", url: NEW }));
  for (let i = 0; i < 3; i++) probe(monitor, NEW, FAIL);
  monitor.stop();
  expect(announced(monitor)).toEqual({ "barker@a": `draining ${OLD}`, "barker@b": `down ${NEW}` });
});

test("Monitor ignores the outcome of a check that is no more", () => {
  const monitor = monitorOf(testDefinition());
  const [task] = [...monitor.tasks()];
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  probe(monitor, NEW, PASS);
  const late = monitor.observe({ monitoredId: task!.monitoredId, checkId: "http", probe: FAIL }, 0);
  expect(late).toEqual({ change: null, inDoubt: false });
  expect(announced(monitor)).toEqual({ "barker@a": `live ${NEW}` });
});

test("Monitor says that a failure is in doubt until it is believed", () => {
  const monitor = monitorOf(testDefinition({ checks: [testCheck({ fall: 2 })] }));
  const monitoredId = [...monitor.tasks()][0]!.monitoredId;
  expect(monitor.observe({ monitoredId, checkId: "http", probe: FAIL }, 0)).toEqual({ change: null, inDoubt: true });
  expect(monitor.observe({ monitoredId, checkId: "http", probe: FAIL }, 0)).toMatchObject({
    change: { health: { state: "down", reason: "503" } },
    inDoubt: false,
  });
});

test("Monitor tells what kind of failure took an instance down", () => {
  const monitor = new Monitor();
  monitor.apply(wantedSet(testDefinition({ checks: [testCheck({ fall: 1 })] })), 0);
  const [task] = [...monitor.tasks()];
  const { monitoredId, check } = task as NonNullable<typeof task>;
  const causes = ([PASS, { ...FAIL, cause: "timeout" }, FAIL, PASS] as Probe[]).map((probe, i) => {
    monitor.observe({ monitoredId, checkId: check.id, probe: { ...probe, reason: String(i) } as Probe }, i);
    return monitor.registrations(i).get("barker@a")?.registration.cause;
  });
  expect(causes).toEqual([null, "timeout", "failed", null]);
});

test("Monitor.kept() names an edit whose new URL is down, until that is live or taken back", () => {
  const monitor = monitorOf(testDefinition({ url: OLD }));
  const kept = (): string[] =>
    [...monitor.kept()].map(({ instance, reason, keptUrl }) => `${instance.url} ${reason} ${keptUrl}`);
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  expect(kept()).toEqual([]);
  probe(monitor, NEW, FAIL);
  expect(kept()).toEqual([`${NEW} 503 ${OLD}`]);
  monitor.apply(wantedSet(testDefinition({ url: OLD })), 0);
  expect(kept()).toEqual([]);
  monitor.apply(wantedSet(testDefinition({ url: NEW })), 0);
  probe(monitor, NEW, FAIL);
  expect(kept()).toHaveLength(1);
  probe(monitor, NEW, PASS);
  expect(kept()).toEqual([]);
});
