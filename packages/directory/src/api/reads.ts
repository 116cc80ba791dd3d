import { type Answer, endpoints, type Explanation, type ServiceListing } from "@datawire/api";
import type { Catalog } from "@datawire/catalog";
import { listRoutes, listService, parseHeaderLines, type CallerContext } from "@datawire/routing";
import { parseCallerAddress, parseName, parseServiceAddress, ProtocolError, type RouteTable } from "@datawire/protocol";
import type { z } from "zod";
import { noSuchService } from "../changes/no-such-service.ts";
import { callerContext, type ExplainAsFound, explainAsFound } from "../problems/as-found.ts";
import { findingsOf } from "../problems/findings.ts";
import type { State } from "../registry/state.ts";
import { isCaller } from "../model/callers.ts";
import { HISTORY_MAX } from "../model/history.ts";
import { type ApiContext, stamp } from "./context.ts";
import { originalCallers } from "../mdk/report.ts";
import { readSeconds } from "./traffic.ts";
import { bind, type BoundEndpoint } from "./router.ts";

/** What is read from. */
export type ReadContext = Pick<
  ApiContext,
  "state" | "links" | "publisher" | "counters" | "traffic" | "originals" | "clock"
>;

/** The endpoints that only read. */
export function readEndpoints(context: ReadContext): BoundEndpoint[] {
  const { state } = context;
  return [
    bind(endpoints.listServices, ({ query }) => listServices(context, query)),
    bind(endpoints.showService, ({ params }) => ({
      ...stamp(context),
      ...showService(context, serviceName(state, params.service)),
    })),
    bind(endpoints.listInstances, () => ({ ...stamp(context), instances: listInstances(context) })),
    bind(endpoints.listRoutes, () => ({
      ...stamp(context),
      routes: sortedTables(state.table).flatMap((table) => listRoutes(state.table, table)),
    })),
    bind(endpoints.history, ({ query }) => historyAnswer(context, query)),
    bind(endpoints.listDistributions, () => ({ ...stamp(context), distributions: distributions(context) })),
    bind(endpoints.explain, ({ query }) => ({ ...stamp(context), explanation: explainQuery(context, query) })),
    bind(endpoints.listCallers, () => callersAnswer(context)),
    bind(endpoints.table, () => ({ ...stamp(context), ...state.table.snapshot() })),
    bind(endpoints.counters, ({ query }) => listCounters(context, query)),
  ];
}

/** `GET /v1/callers`. */
export const callersAnswer = (context: ReadContext): Answer<"listCallers"> => ({
  ...stamp(context),
  callers: listCallers(context),
});

/** The Sherlocks and libraries that are connected. */
export function listCallers(context: Pick<ApiContext, "links" | "originals">): Answer<"listCallers">["callers"] {
  const own = context.links.clients().flatMap(({ name, kind, id, version, zone, position, sinceMs }) =>
    isCaller(kind)
      ? [
          {
            name,
            kind,
            id,
            version,
            zone,
            revision: position?.revision ?? null,
            since: new Date(sinceMs).toISOString(),
          },
        ]
      : [],
  );
  return [...own, ...originalCallers(context)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Reads a service that a path or a query names, plainly or as an address. */
export function serviceName({ directories }: Pick<State, "directories">, text: string): string {
  if (!text.startsWith("//")) return parseName(text, "service");
  const { service, version, instance } = parseServiceAddress(text, directories);
  if ((version ?? instance) !== null)
    throw new ProtocolError("invalid_argument", `Cannot use ${text} as a service: it names a version or an instance`);
  return service;
}

/** `GET /v1/services`. */
export function listServices(context: ReadContext, { instances }: InstancesQuery): Answer<"listServices"> {
  const at = stamp(context);
  const findings = findingsOf(context.links.clients());
  const options = { findings, lists: wantsLists(instances) };
  const names = [...context.state.table.serviceNames()].toSorted();
  return { ...at, services: names.flatMap((name) => serviceRow(context, name, options) ?? []) };
}

type InstancesQuery = z.output<typeof endpoints.listServices.query>;

/** Whether the lists of instances are wanted. */
export function wantsLists(instances: string | undefined): boolean {
  if (instances === undefined) return true;
  if (instances === "none") return false;
  throw new ProtocolError("invalid_argument", `Cannot use ${instances} as instances: wanted none, or to be left out`);
}

type Findings = ReturnType<typeof findingsOf>;

/** A service as it is listed, with its traffic; null for one that is not there. */
export function serviceRow(
  { state, traffic, clock }: ReadContext,
  name: string,
  { findings, lists = true }: { readonly findings: Findings; readonly lists?: boolean },
): ServiceListing | null {
  const listing = listService(state.table, name);
  if (listing === null) return null;
  const { instances } = listing;
  const counts = {
    instances: instances.length,
    live: instances.filter((one) => one.state === "live").length,
    held: instances.filter((one) => one.role === "held").length,
  };
  const shown = lists ? withFindings(listing, findings) : { ...listing, instances: [] };
  return { ...shown, counts, traffic: traffic.of(name, clock.nowMs())?.whole ?? null };
}

function sortedServices({ state: { table }, links }: ReadContext): ServiceListing[] {
  const findings = findingsOf(links.clients());
  return [...table.serviceNames()].toSorted().flatMap((name) => {
    const listing = listService(table, name);
    return listing === null ? [] : [withFindings(listing, findings)];
  });
}

/** What the proxies of callers find of an instance is the reason of one that has no other. */
function withFindings(listing: ServiceListing, findings: ReturnType<typeof findingsOf>): ServiceListing {
  if (findings.size === 0) return listing;
  const instances = listing.instances.map((instance) => {
    const found = findings.get(`${listing.service}@${instance.name}`);
    const [first] = found ?? [];
    if (first === undefined) return instance;
    return { ...instance, reason: instance.reason ?? `${first.caller}: ${first.message}`, findings: found };
  });
  return { ...listing, instances };
}

/** One service with its settings, its traffic, and where requests to it go. */
export function showService(context: ReadContext, name: string): Omit<Answer<"showService">, "epoch" | "revision"> {
  const { state, links, traffic, clock } = context;
  const service = serviceRow(context, name, { findings: findingsOf(links.clients()) });
  const entity = state.table.service(name)?.service;
  if (service === null || entity === undefined) throw noSuchService(state.table, "show", name);
  const recent = traffic.of(name, clock.nowMs());
  const instances = service.instances.map((one) => ({ ...one, traffic: recent?.instances.get(one.name) ?? null }));
  return {
    service: { ...service, instances },
    settings: entity.settings,
    declared: entity.declared,
    distributions: distributionsOf(context, name),
  };
}

function listInstances(context: ReadContext) {
  const { state } = context;
  return sortedServices(context).flatMap(({ service, instances }) =>
    instances.map((instance) => {
      const key = `${service}@${instance.name}`;
      const watson = state.registry.ownerOf(key)?.name ?? null;
      return { service, ...instance, watson, drained: state.registry.isDrained(key) };
    }),
  );
}

/** By service, that for any caller first. */
function sortedTables(table: Catalog): RouteTable[] {
  const rank = ({ service, caller }: RouteTable): string => `${service} ${caller === "*" ? "" : caller}`;
  return [...table.routeTables()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** `GET /v1/routes/history`. */
export function historyAnswer(context: ReadContext, query: { readonly limit?: string | undefined }): Answer<"history"> {
  return { ...stamp(context), history: listHistory(context.state, query) };
}

function listHistory(state: State, { limit: text }: { readonly limit?: string | undefined }) {
  const limit = Number(text ?? 100);
  if (!Number.isInteger(limit) || limit < 1)
    throw new ProtocolError("invalid_argument", `Cannot use ${text} as limit: wanted a number from 1`);
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
function distributions(context: ReadContext): Explanation[] {
  const callers = asFound(context);
  return [...context.state.table.serviceNames()].toSorted().flatMap((name) => distributionsOf(context, name, callers));
}

function distributionsOf(context: ReadContext, name: string, seen = asFound(context)): Explanation[] {
  const own = context.state.table.service(name)?.tables.map(({ caller }) => caller) ?? [];
  const callers = ["*", ...own.filter((caller) => caller !== "*").toSorted()];
  return callers.flatMap((caller) => seen(name, caller) ?? []);
}

const asFound = ({ state, links }: ReadContext): ExplainAsFound => explainAsFound(state.table, links.clients());

/** A caller as it sees the table. */
export const callerContextOf = ({ links }: Pick<ApiContext, "links">, caller: string): CallerContext =>
  callerContext(links.clients(), caller);

type ExplainQuery = z.output<typeof endpoints.explain.query>;

function explainQuery(
  context: ReadContext,
  { caller: callerText = "*", service, path, headers }: ExplainQuery,
): Explanation {
  const caller = callerText.startsWith("//")
    ? parseCallerAddress(callerText)
    : callerText === "*"
      ? "*"
      : parseName(callerText, "caller");
  if (service === undefined)
    throw new ProtocolError("invalid_argument", "Cannot explain: wanted service=NAME in the query");
  const name = serviceName(context.state, service);
  const facts = headers === undefined ? {} : parseHeaderLines(headers.split("\n").filter((line) => line !== ""));
  const request = path === undefined ? facts : { ...facts, path: asRequested(path) };
  const explanation = asFound(context)(name, caller, request);
  if (explanation !== null) return explanation;
  throw noSuchService(context.state.table, "explain", name);
}

/** A path as it would come in a request: it begins with a slash, and what follows a # is the client's alone. */
function asRequested(path: string): string {
  const sent = path.replace(/#.*$/s, "");
  return sent.startsWith("/") ? sent : `/${sent}`;
}

function listCounters({ counters, clock }: ReadContext, { seconds: text }: { readonly seconds?: string | undefined }) {
  const seconds = readSeconds(text, 60);
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
