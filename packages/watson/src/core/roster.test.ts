import { expect, test } from "vitest";
import type { Probe } from "./belief.ts";
import type { Instance } from "./instance.ts";
import { Roster } from "./roster.ts";
import { testCheck, testInstance, wantedSet } from "./testing.ts";

const PASS: Probe = { ok: true };
const FAIL: Probe = { ok: false, reason: "503" };

/** Reports an outcome for every check of the instances at a URL. */
function probe(roster: Roster, url: string, outcome: Probe, nowMs = 0): void {
  for (const { memberId, instance, check } of roster.tasks()) {
    if (instance.url === url) roster.observe({ memberId, checkId: check.id, probe: outcome }, nowMs);
  }
}

function announced(roster: Roster, nowMs = 0): Record<string, string> {
  const entries = [...roster.registrations(nowMs)].map(([key, { registration }]) => [
    key,
    `${registration.state} ${registration.url}`,
  ]);
  return Object.fromEntries(entries);
}

function rosterOf(...instances: Instance[]): Roster {
  const roster = new Roster();
  roster.apply(wantedSet(...instances), 0);
  for (const { url } of instances) probe(roster, url, PASS);
  return roster;
}

const OLD = "http://127.0.0.1:1";
const NEW = "http://127.0.0.1:2";

test("Roster announces an instance after its first check, not before", () => {
  const roster = new Roster();
  roster.apply(wantedSet(testInstance()), 0);
  expect(announced(roster)).toEqual({});
  expect(roster.isDecided()).toBe(false);
  probe(roster, OLD, FAIL);
  expect(announced(roster)).toEqual({ "barker@a": `down ${OLD}` });
  expect(roster.isDecided()).toBe(true);
});

test("Roster announces at once what was live before a restart, and needs as many failures as ever to take it out", () => {
  const roster = new Roster(() => true);
  roster.apply(wantedSet(testInstance()), 0);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
  probe(roster, OLD, FAIL);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Roster keeps the state of an instance whose weight, tags or checks were edited", () => {
  const roster = rosterOf(testInstance());
  const other = testInstance({ weight: 7, checks: [testCheck({ id: "other" }), testCheck({ id: "third" })] });
  roster.apply(wantedSet(other), 0);
  expect(roster.registrations(0).get("barker@a")?.registration).toMatchObject({ state: "live", weight: 7 });
  probe(roster, OLD, FAIL);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Roster needs all checks of an instance to pass", () => {
  const roster = new Roster();
  roster.apply(wantedSet(testInstance({ checks: [testCheck({ id: "x" }), testCheck({ id: "y", fall: 1 })] })), 0);
  const [x, y] = [...roster.tasks()];
  roster.observe({ memberId: x!.memberId, checkId: "x", probe: PASS }, 0);
  expect(announced(roster)).toEqual({});
  roster.observe({ memberId: y!.memberId, checkId: "y", probe: PASS }, 0);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
  roster.observe({ memberId: y!.memberId, checkId: "y", probe: FAIL }, 0);
  expect(roster.registrations(0).get("barker@a")?.registration.reason).toBe("503");
});

test("Roster announces the old URL until the new one is live", () => {
  const roster = rosterOf(testInstance());
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
  probe(roster, NEW, FAIL);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
  probe(roster, NEW, PASS);
  expect(announced(roster)).toEqual({ "barker@a": `live ${NEW}` });
  expect([...roster.tasks()].map(({ instance }) => instance.url)).toEqual([NEW]);
});

test("Roster turns to the new URL when the old one has failed", () => {
  const roster = rosterOf(testInstance());
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  probe(roster, NEW, FAIL);
  for (let i = 0; i < 3; i++) probe(roster, OLD, FAIL);
  expect(announced(roster)).toEqual({ "barker@a": `down ${NEW}` });
});

test("Roster stays with the old URL when the edit is taken back", () => {
  const roster = rosterOf(testInstance());
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  roster.apply(wantedSet(testInstance()), 0);
  probe(roster, NEW, PASS);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Roster drains a live instance that is wanted no more, then lets it go", () => {
  const roster = rosterOf(testInstance({ drainMs: 5_000 }));
  roster.apply(wantedSet(), 1_000);
  expect(announced(roster)).toEqual({ "barker@a": `draining ${OLD}` });
  expect(roster.nextMs(1_000)).toBe(6_000);
  roster.tick(5_999);
  expect(announced(roster)).toEqual({ "barker@a": `draining ${OLD}` });
  roster.tick(6_000);
  expect(announced(roster)).toEqual({});
  expect([...roster.tasks()]).toEqual([]);
});

test("Roster lets go at once of an instance that is down, or wants no drain", () => {
  const roster = rosterOf(testInstance({ name: "a", drainMs: 0 }), testInstance({ name: "b", url: NEW }));
  for (let i = 0; i < 3; i++) probe(roster, NEW, FAIL);
  roster.apply(wantedSet(), 0);
  expect(announced(roster)).toEqual({});
});

test("Roster takes back an instance that returns while it drains", () => {
  const roster = rosterOf(testInstance());
  roster.apply(wantedSet(), 0);
  roster.apply(wantedSet(testInstance()), 10);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Roster keeps an instance until what its file has instead is live", () => {
  const roster = rosterOf(testInstance({ name: "a" }));
  roster.apply(wantedSet(testInstance({ name: "b", url: NEW })), 0);
  expect(announced(roster)).toEqual({ "barker@a": `live ${OLD}` });
  probe(roster, NEW, PASS, 5);
  expect(announced(roster, 5)).toEqual({ "barker@a": `draining ${OLD}`, "barker@b": `live ${NEW}` });
});

test("Roster does not wait for an instance of another file or service", () => {
  const roster = rosterOf(testInstance({ name: "a" }));
  const elsewhere = { file: "other.yaml", line: 1, column: 1 };
  roster.apply(wantedSet(testInstance({ name: "b", url: NEW, source: elsewhere }), testInstance({ service: "x" })), 0);
  expect(announced(roster)).toMatchObject({ "barker@a": `draining ${OLD}` });
});

test("Roster holds a flapping instance down until it is calm", () => {
  const roster = rosterOf(testInstance({ checks: [testCheck({ fall: 1 })] }));
  for (let i = 0; i < 10; i++) probe(roster, OLD, i % 2 === 0 ? FAIL : PASS, i);
  expect(announced(roster, 9)).toEqual({ "barker@a": `down ${OLD}` });
  const backMs = roster.nextMs(9)!;
  expect(announced(roster, backMs)).toEqual({ "barker@a": `live ${OLD}` });
});

test("Roster announces every live instance as draining once it stops", () => {
  const roster = rosterOf(testInstance({ name: "a" }), testInstance({ name: "b", url: NEW }));
  for (let i = 0; i < 3; i++) probe(roster, NEW, FAIL);
  roster.stop();
  expect(announced(roster)).toEqual({ "barker@a": `draining ${OLD}`, "barker@b": `down ${NEW}` });
});

test("Roster ignores the outcome of a check that is no more", () => {
  const roster = rosterOf(testInstance());
  const [task] = [...roster.tasks()];
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  probe(roster, NEW, PASS);
  const late = roster.observe({ memberId: task!.memberId, checkId: "http", probe: FAIL }, 0);
  expect(late).toEqual({ change: null, inDoubt: false });
  expect(announced(roster)).toEqual({ "barker@a": `live ${NEW}` });
});

test("Roster says that a failure is in doubt until it is believed", () => {
  const roster = rosterOf(testInstance({ checks: [testCheck({ fall: 2 })] }));
  const memberId = [...roster.tasks()][0]!.memberId;
  expect(roster.observe({ memberId, checkId: "http", probe: FAIL }, 0)).toEqual({ change: null, inDoubt: true });
  expect(roster.observe({ memberId, checkId: "http", probe: FAIL }, 0)).toMatchObject({
    change: { health: { state: "down", reason: "503" } },
    inDoubt: false,
  });
});

test("Roster tells what kind of failure took an instance down", () => {
  const roster = new Roster();
  roster.apply(wantedSet(testInstance({ checks: [testCheck({ fall: 1 })] })), 0);
  const [task] = [...roster.tasks()];
  const { memberId, check } = task as NonNullable<typeof task>;
  const causes = ([PASS, { ...FAIL, cause: "timeout" }, FAIL, PASS] as Probe[]).map((probe, i) => {
    roster.observe({ memberId, checkId: check.id, probe: { ...probe, reason: String(i) } as Probe }, i);
    return roster.registrations(i).get("barker@a")?.registration.cause;
  });
  expect(causes).toEqual([null, "timeout", "failed", null]);
});

test("Roster.kept() names an edit whose new URL is down, until that is live or taken back", () => {
  const roster = rosterOf(testInstance({ url: OLD }));
  const kept = (): string[] =>
    [...roster.kept()].map(({ instance, reason, keptUrl }) => `${instance.url} ${reason} ${keptUrl}`);
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  expect(kept()).toEqual([]);
  probe(roster, NEW, FAIL);
  expect(kept()).toEqual([`${NEW} 503 ${OLD}`]);
  roster.apply(wantedSet(testInstance({ url: OLD })), 0);
  expect(kept()).toEqual([]);
  roster.apply(wantedSet(testInstance({ url: NEW })), 0);
  probe(roster, NEW, FAIL);
  expect(kept()).toHaveLength(1);
  probe(roster, NEW, PASS);
  expect(kept()).toEqual([]);
});
