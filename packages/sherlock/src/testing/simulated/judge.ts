import type { Catalog } from "@datawire/catalog";
import { isUsable } from "@datawire/protocol";
import { catalogOf } from "../entities.ts";
import { planOf } from "../plans.ts";
import { SimulatedProxy, type SimulatedRequest } from "./simulated-proxy.ts";
import { withStates } from "./worlds.ts";

const USER_SLOTS = [0, 499, 500, 1_999, 3_500, 9_999];
const PATHS = ["/", "/x/y"];
const VALUES: readonly Readonly<Record<string, string>>[] = [{}, { "h:k": "v" }, { "c:k": "v", "h:k": "w" }];

/** Requests that differ in nothing but how they are drawn. */
interface Kind {
  /** Each with a slot of its own, which says where it is drawn to. */
  readonly bound: readonly SimulatedRequest[];
  /** Each drawn freely, so that it may end wherever any of the others may. */
  readonly free: readonly SimulatedRequest[];
}

/** All kinds of requests to a service that the tables by chance tell apart. */
function kindsOf(service: string): Kind[] {
  const freely = (path: string, values: SimulatedRequest["values"]): SimulatedRequest[] =>
    USER_SLOTS.map((drawn) => ({ service, path, values, slots: {}, drawn }));
  if (service === "t") return [{ bound: [], free: freely("", {}) }];
  return PATHS.flatMap((path) =>
    VALUES.map((values) => ({
      bound: USER_SLOTS.map((slot, i) => {
        // The slot by one key says nothing of the slot by another.
        const other = USER_SLOTS[(i * 5 + 3) % USER_SLOTS.length] as number;
        return { service, path, values, slots: { "h:u": slot, "h:w": other }, drawn: slot };
      }),
      free: freely(path, values),
    })),
  );
}

const KINDS: readonly Kind[] = ["a", "b", "t"].flatMap(kindsOf);

/** Whoever any of these proxies lets answer one of the requests. */
function allowedBy(proxies: readonly SimulatedProxy[], requests: readonly SimulatedRequest[]): Set<string> {
  const may = new Set(proxies.flatMap((proxy) => requests.flatMap((request) => [...answersOf(proxy, request)])));
  // A service that is new is known before it is served.
  if (may.has("404")) may.add("503");
  return may;
}

function answersOf(proxy: SimulatedProxy, request: SimulatedRequest): ReadonlySet<string> {
  if (request.service === "t") return proxy.tcpAnswers("t", request.drawn);
  return proxy.answers(request);
}

/** Says who may answer which request while one table is followed after the other. */
export interface Judge {
  /** What a proxy does at a moment on the way that none of the tables allows. */
  wrongAtMoment(proxy: SimulatedProxy): string[];
}

/**
 * A judge of the moments between tables, each of which may meet whoever has died by a later one. Of those that only end
 * each may serve on, and who comes to life may not serve before a reload.
 */
export function judgeOf(tables: readonly Catalog[]): Judge {
  const between = tables.flatMap((table, n) => tables.slice(n + 1).flatMap((later) => tablesBetween(table, later)));
  // Most of them are the same table again.
  const distinct = new Map([...tables, ...between].map((table) => [JSON.stringify(table.snapshot()), table]));
  const oracles = [...distinct.values()].map((table) => new SimulatedProxy(planOf(table)));
  const judged = KINDS.flatMap(({ bound, free }) => {
    const may = allowedBy(oracles, free);
    return [
      ...bound.map((request) => ({ request, may: allowedBy(oracles, [request]) })),
      ...free.map((request) => ({ request, may })),
    ];
  });
  return {
    wrongAtMoment: (proxy) =>
      judged.flatMap(({ request, may }) => {
        const wrong = [...answersOf(proxy, request)].filter((answer) => !may.has(answer));
        return wrong.length === 0 ? [] : [`${wrong.join()} for ${JSON.stringify(request)}, wanted ${[...may].join()}`];
      }),
  };
}

/** What may be followed of a table while a later one waits. */
function tablesBetween(table: Catalog, later: Catalog): Catalog[] {
  return [table, ...withoutGone(table, later)].flatMap((one) => statesBetween(one, later));
}

/** A table with the liveness of a later one, whoever serves on and whoever not. */
function statesBetween(table: Catalog, later: Catalog): Catalog[] {
  const after = new Map([...later.instances()].map((one) => [`${one.service}@${one.name}`, one.state]));
  const ending = [...table.instances()]
    .filter((one) => isUsable(one))
    .map((one) => `${one.service}@${one.name}`)
    .filter((name) => (after.get(name) ?? "draining") === "draining");
  const choices = Array.from({ length: 2 ** ending.length }, (_, bits) =>
    ending.filter((_, i) => Math.floor(bits / 2 ** i) % 2 === 1),
  );
  return choices.flatMap((kept) =>
    [true, false].map((takesNew) =>
      withStates(table, later, { keepsEnding: (instance) => kept.includes(instance), takesNew }),
    ),
  );
}

/** The table without the services that a later one has no more, which go at once: of those it need not be one by one. */
function withoutGone(table: Catalog, later: Catalog): Catalog[] {
  const { services, instances, tables } = table.snapshot();
  const stays = (name: string): boolean => later.service(name) !== null;
  if (services.every(({ name }) => stays(name))) return [];
  return [
    catalogOf(
      ...services.filter(({ name }) => stays(name)),
      ...[...instances, ...tables].filter(({ service }) => stays(service)),
    ),
  ];
}

/** Where a proxy answers otherwise than one that has just been started with a table. */
export function differencesFrom(table: Catalog, proxy: SimulatedProxy): string[] {
  const wanted = new SimulatedProxy(planOf(table));
  return KINDS.flatMap(({ bound, free }) => [...bound, ...free]).flatMap((request) => {
    const got = [...answersOf(proxy, request)].sort().join();
    const will = [...answersOf(wanted, request)].sort().join();
    return got === will ? [] : [`${got} for ${JSON.stringify(request)} at the end, wanted ${will}`];
  });
}

/**
 * Whether a backend gets altogether other servers at one of the steps, or is balanced in order in one of them alone.
 * While it is led to, neither can be exchanged at the moment in which the rules are: a request then may meet the old
 * servers by a new rule, or the new order by an old one. Who ends in peace is one of the old servers where it serves on.
 */
export function exchangesServers(tables: readonly Catalog[]): boolean {
  return tables.some((table, n) => {
    return tables.slice(n + 1).some((later) => {
      const after = new SimulatedProxy(planOf(later));
      return [table, ...tablesBetween(table, later)].some((one) => exchanges(new SimulatedProxy(planOf(one)), after));
    });
  });
}

function exchanges(before: SimulatedProxy, after: SimulatedProxy): boolean {
  return [...before.backends()].some((backend) => {
    const [old, now] = [before.takersOf(backend), after.takersOf(backend)];
    if (after.has(backend) && before.isOrdered(backend) !== after.isOrdered(backend)) return true;
    return old.length > 0 && now.length > 0 && !old.some((name) => now.includes(name));
  });
}
