import { type Answer, endpoints } from "@datawire/api";
import { formatPercent } from "@datawire/protocol";
import { VERSION } from "@datawire/runtime";
import type { ClientReport } from "../link/clients/connected-clients.ts";
import type { Holder } from "../registry/registry.ts";
import { heldProblems, type StatusProblem, serviceProblems } from "../problems/service-problems.ts";
import { type ApiContext, stamp } from "./context.ts";
import { originalProblems } from "../mdk/report.ts";
import { bind, type BoundEndpoint } from "./router.ts";
import { isCaller } from "../model/callers.ts";

/** The most problems of one answer: past it, a person needs a better question. */
const PROBLEMS_MAX = 500;

const OUTAGES = {
  embedded: {
    what: "cannot be written",
    remedy: "see that its data folder has room and is its own to write; the directory goes on by itself",
  },
  etcd: {
    what: "is out of reach",
    remedy: "see that etcd runs and that this machine reaches it; the directory goes on by itself",
  },
} as const;
const RETURN_OF_REPLICA =
  "see there that it runs and reaches etcd; if it was taken away for good, this is forgotten after an hour";
const CONTESTED =
  "correct the url, or remove the service file, on the machine whose program does not listen there; is one Watson a copy of the other's machine?";
const RELEASE = "find out why so many were lost at once; `dw guard release` lets them go";

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
      startedAt: iso(startedMs),
      now: iso(context.clock.nowMs()),
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
      since: iso(client.sinceMs),
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
    startedAt: iso(startedMs),
    self,
  }));
}

function watsonsOf(holders: readonly Holder[], clients: readonly ClientReport[]) {
  return holders
    .filter(({ kind }) => kind !== "mdk" && kind !== "router")
    .map(({ id, name, version, state, sinceMs, instances }) => {
      const problems = clients.find((client) => client.kind === "watson" && client.id === id)?.problems ?? [];
      return { name, id, version, state, since: iso(sinceMs), instances, problems };
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
      return [{ name, id, host, address, ports, version, since: iso(sinceMs), queues, links, counts, problems }];
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

const SILENT_QUERY =
  "see that its `prometheus` answers, and that the query gives one sample of that version; until then `no_data` of the rollout decides";
const silentGateRemedy = (id: string): string =>
  `see that it can be reached from the directory; \`dw rollout promote ${id} --step\` goes on without it`;
const unwatchedRemedy = (id: string): string =>
  `it goes on by itself when one is; \`dw rollout abort ${id}\` brings back the routes from before`;

/** Errors first; what keeps no request from its answer last, as a whole release may be held, and lists are cut. */
function problemsOf(context: ApiContext, clients: readonly ClientReport[]): StatusProblem[] {
  const { state, store, peers, faults, clock, warnings, address } = context;
  const problems: StatusProblem[] = [];
  if (store.outage !== null) {
    const { what, remedy } = OUTAGES[store.kind];
    const message = `read-only since ${iso(store.outage.sinceMs)}: its store ${what} (${store.outage.reason})`;
    problems.push({ severity: "error", subject: address, message, remedy });
  }
  for (const { address: other, sinceMs } of peers.missing()) {
    const message = `out of sight since ${iso(sinceMs)}: it has ended, or does not reach etcd; its clients go on to another one`;
    problems.push({ severity: "warning", subject: other, message, remedy: RETURN_OF_REPLICA });
  }
  const guard = state.registry.guard.held;
  if (guard !== null) problems.push({ severity: "error", subject: "guard", message: guard.reason, remedy: RELEASE });
  problems.push(...faults.problems({ monotonicMs: clock.monotonicMs() }), ...serviceProblems(state.table));
  problems.push(...originalProblems(context));
  for (const { id, rollout } of context.judge.unwatched()) {
    const { plan, step } = rollout;
    const message = `stays at ${formatPercent(plan.steps[step]?.share ?? 0)}, and nobody judges it: no Sherlock, library or router is connected that counts its requests`;
    problems.push({
      severity: "warning",
      subject: `rollout ${id} of ${plan.target}`,
      message,
      remedy: unwatchedRemedy(id),
    });
  }
  for (const { what, why, record } of context.judge.silent()) {
    const subject = `rollout ${record.id} of ${record.rollout.plan.target}`;
    const remedy = what.startsWith("query ") ? SILENT_QUERY : silentGateRemedy(record.id);
    problems.push({ severity: "warning", subject, message: `its ${what} ${why}`, remedy });
  }
  for (const { name, kind = "watson", state: seen, instances, sinceMs } of state.registry.holders()) {
    if (seen !== "lost" || instances === 0 || kind === "mdk") continue;
    const what = instances === 1 ? "its instance stays" : `its ${instances} instances stay`;
    const message = `out of sight since ${iso(sinceMs)}; ${what} in use until the lease ends`;
    problems.push({ severity: "warning", subject: `${kind} ${name}`, message, remedy: returnOf(kind, name) });
  }
  for (const { endpoint, claims } of state.registry.contested()) {
    const said = claims.map(({ key, watson }) => `//${key} by the Watson on ${watson}`).join(" and ");
    const message = `${endpoint} is announced as ${said}: one program answers what is meant for the other`;
    problems.push({ severity: "warning", subject: `//${claims[0]?.key}`, message, remedy: CONTESTED });
  }
  for (const { kind, name, problems: reported } of clients) {
    for (const { subject, message, severity = "warning", remedy = remedyOf(kind, name) } of reported)
      problems.push({ severity, subject: `${kind} ${name}: ${subject}`, message, remedy });
  }
  for (const { subject, message, severity = "warning", remedy = null } of [
    ...context.problems(),
    ...context.board.list(),
  ])
    problems.push({ severity, subject, message, remedy });
  for (const message of warnings) problems.push({ severity: "warning", subject: address, message, remedy: null });
  problems.push(...heldProblems(state.table));
  return problems.toSorted((a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"));
}

/** What a Watson reports is of its service files; what a Sherlock reports, of the services that its HAProxy refused. */
function remedyOf(kind: ClientReport["kind"], name: string): string {
  return kind === "watson"
    ? `correct the file on ${name}; until then its last good version, if it had one, stays in force`
    : `the log of the ${kind} on ${name} says more; all other services work`;
}

const returnOf = (kind: "watson" | "library" | "router", name: string): string =>
  kind === "watson"
    ? `see on ${name} that its Watson runs and reaches this directory: \`dw doctor watson\``
    : `see that ${name} runs and reaches this directory`;

const iso = (ms: number): string => new Date(ms).toISOString();
