import fc from "@datawire/protocol/testing/random";
import { describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { EVERY_FEATURE } from "../../testing/features.ts";
import { SESSION_IDS } from "../../testing/session-ids.ts";
import { SimulatedProxy, type SimulatedRequest } from "../../testing/simulated-proxy.ts";
import { changed, tableFrom, withDeaths, withStates } from "../../testing/worlds.ts";
import { isBlockMap } from "../model/block-lines.ts";
import { type Command, note, runningOf } from "../model/commands.ts";
import { loadedBlocks } from "../model/files.ts";
import type { Plan } from "../model/plan.ts";
import { Planner, type PlanInputs } from "../planner/planner.ts";
import { preparedFor } from "./prepared.ts";
import { describeStructure, type Running } from "../model/running.ts";
import { nextRound, type RoundOptions } from "./transition.ts";

/** Every moment between two tables, as the requests see it: after each command, and on both sides of a reload. */

const INPUTS: PlanInputs = {
  resolve: () => ({ state: "known", address: "10.0.0.1" }),
  portsTaken: new Map(),
  quarantined: new Map(),
  kept: new Map(),
  hasTable: true,
};
const OPTIONS = { shared: "s", dynamicServers: true, unusedBackendsMax: 100 };

function plannerOf(): Planner {
  return new Planner({
    caller: "monolith",
    zone: null,
    overrides: new Map(),
    stickyIp: false,
    sessionIds: SESSION_IDS,
    features: EVERY_FEATURE,
    tcp: { listen: new Map(), range: { from: 6_000, to: 6_999 } },
  });
}

function planOf(table: Catalog): Plan {
  return plannerOf().plan(table, INPUTS);
}

function started(plan: Plan): Running {
  const loaded = describeStructure(plan.structure, { shared: "s", listen: [] });
  return { loaded, ...runningOf(plan), blocks: loadedBlocks(plan) };
}

/** Follows one table after the other, and says what the proxy is like at every moment; the last one follows the last. */
function* moments(tables: readonly Catalog[]): Generator<{ readonly at: string; readonly proxy: SimulatedProxy }> {
  const [first, ...others] = tables;
  const start = planOf(first as Catalog);
  let proxy = new SimulatedProxy(start);
  let running = started(start);
  let followed: Plan | null = start;
  yield { at: "the start", proxy };
  for (const [i, table] of others.entries()) {
    const wanted = planOf(table);
    const interim: RoundOptions["interim"] = (held) => plannerOf().interim(table, INPUTS, { held, keepsLast: true });
    const { commands, reload, now } = nextRound(running, wanted, { ...OPTIONS, followed, interim });
    for (const [n, command] of commands.entries()) {
      proxy.apply(command);
      note(running, command);
      if (!isLastOfItsKind(command, commands[n + 1])) continue;
      yield { at: `table ${i + 1}, after command ${n} ${JSON.stringify(command)}`, proxy };
    }
    followed = now;
    // A reload waits for changes that may come together; the next one may be there before it.
    if (reload === null || i < others.length - 1) continue;
    const prepared = preparedFor(wanted, now);
    proxy = new SimulatedProxy(prepared);
    running = started(prepared);
    yield { at: `the reload for ${reload.reason} ${reload.detail}`, proxy };
    const after = nextRound(running, wanted, { ...OPTIONS, followed: prepared, interim });
    if (after.reload !== null) throw new Error(`A reload left ${after.reload.reason} ${after.reload.detail}`);
    for (const [n, command] of after.commands.entries()) {
      proxy.apply(command);
      if (!isLastOfItsKind(command, after.commands[n + 1])) continue;
      yield { at: `after the reload, after command ${n} ${JSON.stringify(command)}`, proxy };
    }
  }
}

/** Lines of blocks come and go many at a time; what is wrong after one of them is wrong after the last. */
function isLastOfItsKind(command: Command, next: Command | undefined): boolean {
  const isLine = (one: Command | undefined): boolean => one?.kind === "map" && isBlockMap(one.map);
  return !isLine(command) || !isLine(next);
}

const USER_SLOTS = [0, 499, 500, 1_999, 3_500, 9_999];
const PATHS = ["/", "/x/y"];
const VALUES: readonly Readonly<Record<string, string>>[] = [{}, { "h:k": "v" }, { "c:k": "v", "h:k": "w" }];

/** All kinds of requests to a service that the generated tables tell apart. */
function* requestsTo(name: string): Generator<SimulatedRequest> {
  if (name === "t") {
    for (const drawn of USER_SLOTS) yield { service: name, path: "", values: {}, slots: {}, drawn };
    return;
  }
  for (const path of PATHS) {
    for (const values of VALUES) {
      for (const [i, slot] of USER_SLOTS.entries()) {
        // The slot by one key says nothing of the slot by another.
        const other = USER_SLOTS[(i * 5 + 3) % USER_SLOTS.length] as number;
        yield { service: name, path, values, slots: { "h:u": slot, "h:w": other }, drawn: slot };
        yield { service: name, path, values, slots: {}, drawn: slot };
      }
    }
  }
}

/** Whoever any of these proxies lets answer the request. */
function allowedBy(proxies: readonly SimulatedProxy[], request: SimulatedRequest): Set<string> {
  return new Set(proxies.flatMap((proxy) => [...answersOf(proxy, request)]));
}

function answersOf(proxy: SimulatedProxy, request: SimulatedRequest): ReadonlySet<string> {
  if (request.service === "t") return proxy.tcpAnswers("t", request.drawn);
  return proxy.answers(request);
}

/** A free draw may end wherever any slot leads, under each of the tables. */
function allowed(proxies: readonly SimulatedProxy[], request: SimulatedRequest): Set<string> {
  const all = allowedBy(proxies, request);
  if (Object.keys(request.slots).length > 0) return all;
  for (const drawn of USER_SLOTS) for (const one of allowedBy(proxies, { ...request, drawn })) all.add(one);
  return all;
}

function broken(tables: readonly Catalog[]): string[] {
  // Of each table, with the states of each that came after it.
  const between = tables.flatMap((table, n) =>
    tables.slice(n + 1).flatMap((later) => [withStates(table, later), withStates(table, later, { keepsEnding: true })]),
  );
  const oracles = [...tables, ...between].map((table) => new SimulatedProxy(planOf(table)));
  const wanted = oracles[tables.length - 1] as SimulatedProxy;
  const found: string[] = [];
  const requests = ["a", "b", "t"].flatMap((name) =>
    [...requestsTo(name)].map((request) => ({ request, may: allowed(oracles, request) })),
  );
  let end: SimulatedProxy | null = null;
  for (const { at, proxy } of moments(tables)) {
    end = proxy;
    {
      for (const { request, may } of requests) {
        // A service that is new is known before it is served.
        if (may.has("404")) may.add("503");
        const wrong = [...answersOf(proxy, request)].filter((answer) => !may.has(answer));
        if (wrong.length > 0)
          found.push(`${wrong.join()} for ${JSON.stringify(request)}, wanted ${[...may].join()} at ${at}`);
        if (found.length > 3) return found;
      }
    }
  }
  for (const name of ["a", "b", "t"]) {
    for (const request of requestsTo(name)) {
      const got = [...answersOf(end as SimulatedProxy, request)].sort().join();
      const will = [...answersOf(wanted, request)].sort().join();
      if (got !== will) found.push(`${got} for ${JSON.stringify(request)} at the end, wanted ${will}`);
    }
  }
  return found.slice(0, 4);
}

/**
 * Whether a backend gets altogether other servers at one of the steps. While it is led to, they cannot be exchanged at
 * one moment: a request then may meet the old ones by a new rule.
 */
function exchangesServers(tables: readonly Catalog[]): boolean {
  const proxies = tables.map((table) => new SimulatedProxy(planOf(table)));
  return proxies.some((proxy, i) =>
    proxies.slice(i + 1).some((later) =>
      [...proxy.backends()].some((backend) => {
        const [before, after] = [proxy.takersOf(backend), later.takersOf(backend)];
        return before.length > 0 && after.length > 0 && !before.some((name) => after.includes(name));
      }),
    ),
  );
}

/** Random cases cost a tenth of a second each, as every moment is looked at with hundreds of requests. */
const RUNS = process.env["DSTACK_SOAK"] === "1" ? 600 : 25;
const TEST_MS_MAX = RUNS * 4_000;

describe("every moment keeps the promises", () => {
  test.each<readonly [string, (from: Catalog, to: Catalog) => readonly Catalog[]]>([
    ["between a table and one that differs by a change or three", (from, to) => [from, to]],
    ["between a change and its undoing", (from, to) => [to, from]],
    ["when a change is undone before the reload that it waits for", (from, to) => [from, to, from]],
    ["when instances die while a change waits for its reload", (from, to) => [from, to, withDeaths(to)]],
  ])(
    "%s",
    (_, sequence) => {
      fc.assert(
        fc.property(changed, ([from, to]) => {
          const tables = sequence(tableFrom(from), tableFrom(to));
          fc.pre(!exchangesServers(tables));
          expect(broken(tables)).toEqual([]);
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    TEST_MS_MAX,
  );

  test(
    "between three changes one after the other",
    () => {
      fc.assert(
        fc.property(changed, changed, ([from, to], [other]) => {
          const mixed = { ...to, a: { ...to.a, routes: other.a.routes }, b: { ...to.b, instances: other.b.instances } };
          const tables = [from, to, mixed].map((world) => tableFrom(world));
          fc.pre(!exchangesServers(tables));
          expect(broken(tables)).toEqual([]);
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    TEST_MS_MAX,
  );
});
