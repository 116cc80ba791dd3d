import { type Answer, endpoints } from "@datawire/api";
import { isoTime, VERSION } from "@datawire/runtime";
import type { ClientReport } from "../link/clients/connected-clients.ts";
import type { Holder } from "../registry/registry.ts";
import { heldProblems, type StatusProblem, serviceProblems } from "../problems/service-problems.ts";
import { ownProblem, reportedProblems } from "../problems/reported-problems.ts";
import { registryProblems } from "../problems/registry-problems.ts";
import { rolloutProblems } from "../rollouts/rollout-problems.ts";
import { storeProblems } from "../store/store-problems.ts";
import { type ApiContext, stamp } from "./context.ts";
import { originalProblems } from "../mdk/report.ts";
import { bind, type BoundEndpoint } from "./router.ts";
import { isCaller } from "../model/callers.ts";

/** The most problems of one answer: past it, a person needs a better question. */
const PROBLEMS_MAX = 500;

/** `GET /v1/status`: what `dw status` shows. */
export function statusEndpoint(context: ApiContext): BoundEndpoint {
  return bind(endpoints.status, () => status(context));
}

/** The endpoints about routers. */
export function routerEndpoints(context: ApiContext): BoundEndpoint[] {
  return [
    bind(endpoints.listRouters, async () => ({ ...stamp(context), routers: await routersFor(context) })),
    bind(endpoints.findRouters, async () => ({
      routers: (await routersFor(context)).map(({ name, host, ports }) => ({ name, host, ports })),
    })),
  ];
}

/** The routers that are there for those who share a table: those that follow it, and of those of all tenants their part. */
export async function routersFor({ links, shared }: Pick<ApiContext, "links" | "shared">): Promise<ShownRouter[]> {
  const own = routersOf(links.clients());
  if (shared === null) return own;
  const { tenant } = shared;
  const all = routersOf(await shared.clients()).map((router) => partOf(router, tenant));
  return [...own.map((router) => calledBy(router, tenant)), ...all].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

const prefixOf = (tenant: string): string => `@${tenant}/`;

/** What a router of all tenants has for one of them; its problems are those of others too. */
function partOf(router: ShownRouter, tenant: string): ShownRouter {
  const isOwn = (address: string | null): boolean => address?.startsWith(prefixOf(tenant)) === true;
  const queues = router.queues.filter(({ address }) => isOwn(address));
  const links = router.links.filter(({ address }) => isOwn(address));
  const connections = new Set(links.map(({ container, peer }) => `${peer} ${container}`)).size;
  const counts = { queues: queues.length, links: links.length, connections };
  return calledBy({ ...router, queues, links, counts, problems: [] }, tenant);
}

/** Addresses as a tenant calls them: the router lists its `orders` as `@acme/orders`. */
function calledBy(router: ShownRouter, tenant: string): ShownRouter {
  const prefix = prefixOf(tenant);
  const plain = (address: string): string => (address.startsWith(prefix) ? address.slice(prefix.length) : address);
  return {
    ...router,
    queues: router.queues.map((queue) => ({ ...queue, address: plain(queue.address) })),
    links: router.links.map((link) => ({ ...link, address: link.address === null ? null : plain(link.address) })),
  };
}

/** How everything stands. */
export function status(context: ApiContext): Answer<"status"> {
  const { state, publisher, links, store, address, startedMs } = context;
  const at = stamp(context);
  const clients = links.clients();
  const sherlocks = clients.filter(({ kind }) => isCaller(kind));
  const { services, instances } = state.table.size;
  const problems = problemsOf(context, clients);
  return {
    directory: {
      address,
      version: VERSION,
      ...at,
      startedAt: isoTime(startedMs),
      now: isoTime(context.clock.nowMs()),
      state: store.outage !== null ? "read-only" : publisher.warming ? "warming" : "ready",
      store: store.kind,
      guard: state.registry.guard.held && {
        held: state.registry.guard.held.held,
        reason: state.registry.guard.held.reason,
      },
    },
    replicas: replicasOf(context),
    watsons: watsonsOf(state.registry.holders(), clients),
    sherlocks: sherlocks.map((client) => ({
      name: client.name,
      version: client.version,
      revision: client.position?.revision ?? null,
      lag: lagOf(client, at),
      since: isoTime(client.sinceMs),
      problems: client.problems,
    })),
    routers: routersOf(clients).map(({ name, id, host, address, version, since, problems }) => ({
      name,
      id,
      host,
      address,
      version,
      since,
      problems,
    })),
    problems: problems.slice(0, PROBLEMS_MAX),
    counts: {
      services,
      instances,
      routes: [...state.table.routeTables()].reduce((sum, { routes }) => sum + routes.length, 0),
      problems: problems.length,
    },
  };
}

/** The directories on the same store, this one first; empty where it is the only one that can be. */
function replicasOf({ peers }: ApiContext) {
  return peers.replicas().map(({ id, address, version, startedMs, self }) => ({
    id,
    address,
    version,
    startedAt: isoTime(startedMs),
    self,
  }));
}

function watsonsOf(holders: readonly Holder[], clients: readonly ClientReport[]) {
  return holders
    .filter(({ kind }) => kind !== "mdk" && kind !== "router")
    .map(({ id, name, version, state, sinceMs, instances }) => {
      const problems = clients.find((client) => client.kind === "watson" && client.id === id)?.problems ?? [];
      return { name, id, version, state, since: isoTime(sinceMs), instances, problems };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The routers that are connected, by name, with what each told of itself last. */
function routersOf(clients: readonly ClientReport[]): ShownRouter[] {
  return clients
    .flatMap(({ kind, name, id, version, sinceMs, problems, router }) => {
      if (kind !== "router") return [];
      const { host = name, ports = NO_PORTS, queues = [], links = [], counts = NO_COUNTS } = router ?? {};
      const address = ports.amqp ?? ports.amqps;
      return [{ name, id, host, address, ports, version, since: isoTime(sinceMs), queues, links, counts, problems }];
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

type ShownRouter = Answer<"listRouters">["routers"][number];

const NO_PORTS = { amqp: null, amqps: null, web: null, admin: null };
const NO_COUNTS = { queues: 0, links: 0, connections: 0 };

/** How many revisions a subscriber has yet to apply. */
function lagOf({ position }: ClientReport, { epoch, revision }: { epoch: string; revision: number }): number {
  return position?.epoch === epoch ? revision - position.revision : revision;
}

/** Errors first, and causes before what they bring about; what keeps no request from its answer last, as a whole release may be held, and lists are cut. */
function problemsOf(context: ApiContext, clients: readonly ClientReport[]): StatusProblem[] {
  const { state, store, peers, faults, judge, clock, board, warnings, address } = context;
  const problems = [
    ...storeProblems(store, { address, missing: peers.missing() }),
    ...registryProblems(state.registry),
    ...faults.problems({ monotonicMs: clock.monotonicMs() }),
    ...serviceProblems(state.table),
    ...originalProblems(context),
    ...rolloutProblems(judge),
    ...clients.flatMap(reportedProblems),
    ...[...context.problems(), ...board.list()].map(ownProblem),
    ...warnings.map((message) => ownProblem({ subject: address, message })),
    ...heldProblems(state.table),
  ];
  return problems.toSorted((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
}
