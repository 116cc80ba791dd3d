import { expect, test } from "vitest";
import { at, createState, PROMOTION_DELAY_MS, registration, state } from "../testing/worlds.ts";
import { ELECTION_MS } from "./primaries.ts";
import { emptyRecord } from "../model/records.ts";
import type { State } from "./state.ts";

const primaryOf = (world: State) => world.table.service("barker")?.service.primary;

/** Remembers what is decided by then, as the directory does. */
function decide(world: State, ms: number): string[] {
  return world.primaries.due(at(ms)).map(({ service, primary, replaces }) => {
    world.set({ kind: "service", id: service, value: { ...emptyRecord(service), primary } }, at(ms));
    return `${replaces ?? "none"} → ${primary === "" ? "(none)" : primary}`;
  });
}

test.each([
  [["2", "1"], "1", "whatever the order of starting"],
  [["1.10.2", "1.9"], "1", "generations are first parts"],
  [["10", "9"], "9", "numbers compare as numbers"],
  [["blue", "2"], "2", "numbers come before labels"],
])("the lowest generation of %s seen in the first seconds is primary: %s, as %s", (versions, expected) => {
  const world = createState();
  versions.forEach((version, i) => state(world, `vm${i}`, [`barker@i${i}:${version}`], { ms: i * 1_000 }));
  expect(primaryOf(world)).toBe(expected);
  expect(decide(world, ELECTION_MS - 1)).toEqual([]);
  expect(decide(world, ELECTION_MS)).toEqual([`none → ${expected}`]);
  expect(decide(world, ELECTION_MS + 1)).toEqual([]);
});

test("a lower generation that comes after the first seconds is held", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:2"]);
  state(world, "vm2", ["barker@b:1"], { ms: ELECTION_MS });
  expect(primaryOf(world)).toBe("2");
  expect(decide(world, ELECTION_MS)).toEqual(["none → 2"]);
  expect(primaryOf(world)).toBe("2");
});

test("a generation that was seen and left again within the first seconds counts", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", "barker@b:2"]);
  state(world, "vm1", ["barker@b:2"], { ms: 1_000 });
  expect(decide(world, ELECTION_MS)).toEqual(["none → 1"]);
});

test("instances without a version are a generation of their own, and the lowest", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", "barker@b"]);
  expect(primaryOf(world)).toBe("");
});

test("the primary is remembered when the last instance has gone", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1"]);
  decide(world, ELECTION_MS);
  state(world, "vm1", [], { ms: 60_000 });
  expect(world.table.service("barker")).toBeNull();
  state(world, "vm1", ["barker@a:2", "barker@b:1"], { ms: 70_000 });
  expect(primaryOf(world)).toBe("1");
  expect(decide(world, 200_000)).toEqual([]);
});

test("the newest live generation is promoted once the primary was gone for the delay", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1"]);
  decide(world, ELECTION_MS);
  state(world, "vm2", ["barker@b:2", registration("barker@c:3", { state: "down" })], { ms: 6_000 });
  state(world, "vm1", [], { ms: 10_000 });
  expect(decide(world, 10_000 + PROMOTION_DELAY_MS - 1)).toEqual([]);
  expect(decide(world, 10_000 + PROMOTION_DELAY_MS)).toEqual(["1 → 2"]);
  expect(primaryOf(world)).toBe("2");
});

test("nothing is promoted while an instance of the primary is registered, even if it is down", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1"]);
  decide(world, ELECTION_MS);
  state(world, "vm1", [registration("barker@a:1", { state: "down" }), "barker@b:2"], { ms: 6_000 });
  expect(decide(world, 200_000)).toEqual([]);
});

test("a primary that comes back in time ends the delay", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", "barker@b:2"]);
  decide(world, ELECTION_MS);
  state(world, "vm1", ["barker@b:2"], { ms: 10_000 });
  state(world, "vm1", ["barker@a:1", "barker@b:2"], { ms: 39_000 });
  state(world, "vm1", ["barker@b:2"], { ms: 39_500 });
  expect(decide(world, 41_000)).toEqual([]);
  expect(decide(world, 69_500)).toEqual(["1 → 2"]);
});

test("a promotion waits for a live instance", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", registration("barker@b:2", { state: "down" })]);
  decide(world, ELECTION_MS);
  state(world, "vm1", [registration("barker@b:2", { state: "down" })], { ms: 10_000 });
  expect(decide(world, 100_000)).toEqual([]);
  state(world, "vm1", ["barker@b:2"], { ms: 100_001 });
  expect(decide(world, 100_001)).toEqual(["1 → 2"]);
});

test("configure() changes the delay, also for a primary that is gone already", () => {
  const world = createState();
  state(world, "vm1", ["barker@a:1", "barker@b:2"]);
  decide(world, ELECTION_MS);
  state(world, "vm1", ["barker@b:2"], { ms: 10_000 });
  world.configure({ promotionDelayMs: 1_000, guard: { share: 0.5, minimum: 10 } });
  expect(decide(world, 11_000)).toEqual(["1 → 2"]);
});
