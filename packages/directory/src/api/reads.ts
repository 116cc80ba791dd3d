import {
  explain,
  type Explanation,
  listRoutes,
  listService,
  parseCallerAddress,
  parseName,
  parseServiceAddress,
  ProtocolError,
  type RouteTable,
  type ServiceListing,
  sharedZone,
  type Table,
  type Viewpoint,
} from "@datawire/protocol";
import { noSuchService } from "../core/commands/no-such-service.ts";
import type { State } from "../core/state.ts";
import { COUNTERS_KEPT_MS } from "../core/counters.ts";
import { HISTORY_MAX } from "../core/history.ts";
import { type ApiContext, stamp } from "./context.ts";
import type { ApiRequest, Endpoint } from "./router.ts";

/** The endpoints that only read. */
export function readEndpoints(context: ApiContext): Endpoint[] {
  const { state } = context;
  const get = (path: string, handle: Endpoint["handle"]): Endpoint => ({ method: "GET", path, handle });
  return [
    get("/v1/services", () => ({ ...stamp(context), services: sortedServices(state.table) })),
    get("/v1/services/*", ({ params }) => ({ ...stamp(context), ...showService(state, params[0] as string) })),
    get("/v1/instances", () => ({ ...stamp(context), instances: listInstances(state) })),
    get("/v1/routes", () => ({
      ...stamp(context),
      routes: sortedTables(state.table).flatMap((table) => listRoutes(state.table, table)),
    })),
    get("/v1/routes/history", ({ query }) => ({ ...stamp(context), history: listHistory(state, query) })),
    get("/v1/distributions", () => ({ ...stamp(context), distributions: distributions(context) })),
    get("/v1/explain", ({ query }) => ({ ...stamp(context), explanation: explainQuery(context, query) })),
    get("/v1/callers", () => ({ ...stamp(context), callers: listCallers(context) })),
    get("/v1/table", () => ({ ...stamp(context), ...state.table.snapshot() })),
    get("/v1/counters", ({ query }) => listCounters(context, query)),
  ];
}

/** The Sherlocks and libraries that are connected. */
function listCallers({ links }: Pick<ApiContext, "links">) {
  return links
    .clients()
    .filter(({ kind }) => kind === "sherlock" || kind === "library")
    .map(({ name, kind, version, zone, position, sinceMs }) => ({
      name,
      kind,
      version,
      zone,
      revision: position?.revision ?? null,
      since: new Date(sinceMs).toISOString(),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads a service that a path or a query names, plainly or as an address. */
export function serviceName(text: string): string {
  if (!text.startsWith("//")) return parseName(text, "service");
  const { service, version, instance } = parseServiceAddress(text);
  if ((version ?? instance) !== null)
    throw new ProtocolError("invalid_argument", `Cannot use ${text} as a service: it names a version or an instance`);
  return service;
}

function sortedServices(table: Table): ServiceListing[] {
  return [...table.serviceNames()].toSorted().flatMap((name) => listService(table, name) ?? []);
}

function showService(state: State, text: string) {
  const name = serviceName(text);
  const service = listService(state.table, name);
  const entity = state.table.service(name)?.service;
  if (service === null || entity === undefined) throw noSuchService(state.table, "show", name);
  return { service, settings: entity.settings, declared: entity.declared };
}

function listInstances(state: State) {
  return sortedServices(state.table).flatMap(({ service, instances }) =>
    instances.map((instance) => {
      const key = `${service}@${instance.name}`;
      const watson = state.registry.ownerOf(key)?.name ?? null;
      return { service, ...instance, watson, drained: state.registry.isDrained(key) };
    }),
  );
}

/** By service, that for any caller first. */
function sortedTables(table: Table): RouteTable[] {
  const rank = ({ service, caller }: RouteTable): string => `${service} ${caller === "*" ? "" : caller}`;
  return [...table.tables()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function listHistory(state: State, query: URLSearchParams) {
  const limit = Number(query.get("limit") ?? 100);
  if (!Number.isInteger(limit) || limit < 1)
    throw new ProtocolError("invalid_argument", `Cannot use ${query.get("limit")} as limit: wanted a number from 1`);
  return state.history.list(Math.min(limit, HISTORY_MAX)).map(({ id, atMs, who, verified, action, undone }) => ({
    id,
    at: new Date(atMs).toISOString(),
    who,
    verified,
    action,
    undone,
  }));
}

/** For every service: any caller, and every caller that has a table of its own. */
function distributions(context: ApiContext): Explanation[] {
  const { table } = context.state;
  return [...table.serviceNames()].toSorted().flatMap((name) => {
    const own = table.service(name)?.tables.map(({ caller }) => caller) ?? [];
    const callers = ["*", ...own.filter((caller) => caller !== "*").toSorted()];
    return callers.flatMap((caller) => explain(table, name, viewpointOf(context, caller)) ?? []);
  });
}

/** A caller as it sees the table. */
export function viewpointOf({ links }: Pick<ApiContext, "links">, caller: string): Viewpoint {
  const zones = links
    .clients()
    .filter(({ kind, name }) => name === caller && (kind === "sherlock" || kind === "library"))
    .map(({ zone }) => zone);
  return { caller, zone: sharedZone(zones) };
}

function explainQuery(context: ApiContext, query: ApiRequest["query"]): Explanation {
  const callerText = query.get("caller") ?? "*";
  const caller = callerText.startsWith("//")
    ? parseCallerAddress(callerText)
    : callerText === "*"
      ? "*"
      : parseName(callerText, "caller");
  const service = query.get("service");
  if (service === null) throw new ProtocolError("invalid_argument", "Cannot explain: wanted service=NAME in the query");
  const name = serviceName(service);
  const path = query.get("path");
  const viewpoint = viewpointOf(context, caller);
  const explanation = explain(context.state.table, name, viewpoint, path === null ? {} : { path });
  if (explanation !== null) return explanation;
  throw noSuchService(context.state.table, "explain", name);
}

function listCounters({ counters, clock }: ApiContext, query: URLSearchParams) {
  const seconds = Number(query.get("seconds") ?? 60);
  if (!(seconds > 0 && seconds * 1_000 <= COUNTERS_KEPT_MS))
    throw new ProtocolError("invalid_argument", `Cannot use ${query.get("seconds")} as seconds: wanted 1 to 3600`);
  const { fromMs, untilMs, lines } = counters.last(seconds * 1_000, clock.nowMs());
  return {
    from: new Date(fromMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    counters: lines.map(({ latencySumMs, latencyMaxMs, ...line }) => ({
      ...line,
      latencyMs: line.requests === 0 ? null : { average: latencySumMs / line.requests, max: latencyMaxMs },
    })),
  };
}
