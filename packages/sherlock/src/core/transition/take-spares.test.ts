import { expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { catalogOf, type Entity, instance, routes, service } from "../../testing/entities.ts";
import { INPUTS, justStarted, planOf, plannerOf, SHARED } from "../../testing/plans.ts";
import { SimulatedProxy } from "../../testing/simulated/simulated-proxy.ts";
import { note } from "../model/commands.ts";
import type { Plan } from "../model/plan.ts";
import type { Running } from "../model/running.ts";
import { freeSpares } from "./take-spares.ts";
import { nextRound, type Round } from "./transition.ts";

const SPARES = ["spare-x-1", "spare-x-2"];

function roundOf(running: Running, table: Catalog, followed: Plan): Round {
  return nextRound(running, planOf(table), {
    shared: SHARED,
    dynamicServers: true,
    unusedBackendsMax: 100,
    isSettled: false,
    followed,
    interim: (held) => plannerOf().interim(table, INPUTS, { held, keepsLast: true }),
  });
}

const S = [service("s"), instance("s", "i")];

/** What an HAProxy that follows a table of `s` takes for another one, and what is left of its spare backends. */
function taken(...entities: readonly Entity[]): { takes: string[]; free: number; reload: string | null } {
  const before = planOf(catalogOf(...S));
  const running = justStarted(before, SPARES);
  const { commands, reload } = roundOf(running, catalogOf(...entities), before);
  for (const command of commands) note(running, command);
  const takes = commands.flatMap((command) => (command.kind === "take-spare" ? [command.backend] : []));
  return { takes, free: freeSpares(running).length, reload: reload?.detail ?? null };
}

test.each([
  ["a new service", [...S, service("n"), instance("n", "i")], ["n:v1"]],
  ["a new version", [...S, instance("s", "k", { version: "2" })], ["s:v2"]],
  ["a target of its own", [...S, routes("s", { "//s@i": { share: 500 } })], ["s:i:i"]],
])("%s takes a spare backend", (_, entities, takes) => {
  expect(taken(...entities)).toEqual({ takes, free: 1, reload: null });
});

test.each([
  ["a base path", [...S, service("n"), instance("n", "i", { url: "http://h:1/base" })], "n:v1:path:2Fbase"],
  ["TLS", [...S, service("n"), instance("n", "i", { url: "https://h:1" })], "n:v1:tls"],
  ["a time-out", [...S, service("n", { settings: { timeoutMs: 5_000 } }), instance("n", "i")], "n:v1"],
  ["another balance", [...S, service("n", { settings: { balance: "ordered" } }), instance("n", "i")], "n:v1"],
  ["sessions", [...S, service("n", { settings: { balance: "cookie:C" } }), instance("n", "i")], "n:v1"],
  [
    "a key that no route had",
    [...S, instance("s", "k", { version: "2" }), routes("s", { "//s(2)": { share: 1 } }, { sticky: "header:u" })],
    "u",
  ],
])("%s takes none, nor anything else of its service", (_, entities, detail) => {
  expect(taken(...entities)).toEqual({ takes: [], free: 2, reload: detail });
});

test("what needs more than there are waits, and leaves them to others", () => {
  const versions = ["1", "2", "3"].map((version, order) => instance("a", `i${version}`, { version, order }));
  const { takes, free, reload } = taken(...S, service("a"), ...versions, service("b"), instance("b", "i"));
  expect([takes, free, reload]).toEqual([["b:v1"], 1, "a:v1"]);
});

test("one that has been taken is never another's, whoever leaves it", () => {
  const before = planOf(catalogOf(...S));
  const running = justStarted(before, SPARES);
  let followed = before;
  const places: string[][] = [];
  for (const name of ["a", "b", "a"]) {
    const { commands, now } = roundOf(running, catalogOf(...S, service(name), instance(name, "i")), followed);
    for (const command of commands) note(running, command);
    followed = now;
    places.push([...(now.carried ?? [])].flat());
  }
  const both = ["a:v1", "spare-x-1", "b:v1", "spare-x-2"];
  expect(places).toEqual([["a:v1", "spare-x-1"], both, both]);
});

test("what HAProxy says of them is read as what the plan says", () => {
  const before = planOf(catalogOf(...S));
  const running = justStarted(before, SPARES);
  const table = catalogOf(
    ...S,
    instance("s", "k", { version: "2", order: 1 }),
    routes("s", { "//s(2)": { share: 500 } }),
  );
  const proxy = new SimulatedProxy(before, SPARES);
  const { commands, now } = roundOf(running, table, before);
  for (const command of commands) {
    proxy.apply(command);
    note(running, command);
  }
  const read = proxy.holds(running.loaded);
  expect({ maps: read.maps, carried: read.carried }).toEqual({ maps: running.maps, carried: running.carried });
  expect(roundOf(read, table, now)).toMatchObject({ commands: [], reload: null });
  // A worker that reads the files of it is the same one.
  const again = new SimulatedProxy(now, SPARES).holds(running.loaded);
  expect(roundOf(again, table, now)).toMatchObject({ commands: [], reload: null });
});
