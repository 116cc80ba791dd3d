import { parseServiceAddress } from "@datawire/protocol";
import { pairOf } from "../model/blocks.ts";
import { missingKey } from "../model/keys.ts";
import { type BackendStructure, OWN_BACKENDS, type Plan, POINTER_MAPS } from "../model/plan.ts";
import { describeBackend, hasBackend, ownerOf, type Running } from "../model/running.ts";
import { fitsSpare } from "../model/spares.ts";

/** What a reload is for, as metrics count it. */
export type ReloadReason =
  | "start"
  | "settings"
  | "service"
  | "backend"
  | "key"
  | "tcp port"
  | "unused"
  | "spares"
  | "repair"
  | "server";

/** A reload, and what makes it necessary. */
export interface Reload {
  readonly reason: ReloadReason;
  /** Which backend, server, port or key makes it necessary, for the log. */
  readonly detail: string;
}

/** What decides which changes wait for a reload. */
export interface WaitingOptions {
  /** What `LoadedStructure.shared` has to be. */
  readonly shared: string;
  /** Whether servers can be added at run time. */
  readonly dynamicServers: boolean;
  /** Backends that nothing needs any more are taken out by the next reload; only so many wait for one. */
  readonly unusedBackendsMax: number;
  /** The plan that HAProxy follows; null where that is not known. */
  readonly followed: Plan | null;
  /** Whether HAProxy is all of that plan, so that nothing of it waits and another one is looked at where it differs. */
  readonly isSettled: boolean;
}

/** What of a plan only a reload can bring. */
export interface Waiting {
  /** Null when nothing waits. */
  readonly reload: Reload | null;
  /** The services that wait for it, as a whole. */
  readonly services: ReadonlySet<string>;
}

/**
 * Says what waits for a reload. A service waits as a whole: what could be done of its change by commands would take
 * effect before the rest. Those that share requests with it wait too, since each of their parts leads into it.
 */
export function waitingFor(running: Running, plan: Plan, options: WaitingOptions): Waiting {
  const { loaded } = running;
  if (loaded.shared !== options.shared) {
    const reload: Reload = { reason: "settings", detail: "the settings or the template changed" };
    return { reload, services: new Set(plan.needs.keys()) };
  }
  const services = new Set<string>();
  let first: Reload | null = null;
  let firstService = "";
  for (const service of servicesToLookAt(plan, options)) {
    const reload = reloadFor(running, plan, { service, options });
    if (reload !== null && (first === null || service < firstService)) [first, firstService] = [reload, service];
    if (reload !== null || leadsNowhere(running, plan, service)) services.add(service);
  }
  if (services.size > 0) addLinked(services, linksOf(running, plan, options));
  return { reload: first === null ? generalReload(running, plan, options) : named(first, running), services };
}

function servicesToLookAt(plan: Plan, { followed, isSettled }: WaitingOptions): Iterable<string> {
  return isSettled && followed !== null ? plan.parts.differences(followed.parts) : plan.needs.keys();
}

function reloadFor(
  running: Running,
  plan: Plan,
  { service, options }: { readonly service: string; readonly options: WaitingOptions },
): Reload | null {
  const { loaded } = running;
  const { backends = new Set<string>(), keys } = plan.needs.get(service) ?? {};
  for (const name of backends) {
    const structure = plan.structure.backends.get(name);
    if (structure === undefined) continue;
    if (!hasBackend(running, name)) return { reason: "backend", detail: name };
    if (!isAs(running, structure)) return { reason: "settings", detail: name };
  }
  const listener = plan.structure.tcpListeners.get(service);
  if (listener !== undefined && loaded.listeners.get(service) !== `${listener.host}:${listener.port}`)
    return { reason: "tcp port", detail: service };
  const key = keys === undefined ? null : missingKey(loaded.keys, keys);
  if (key !== null) return { reason: "key", detail: key };
  for (const backend of backends) {
    const server = backend.startsWith(`${service}:`) ? serverToReload(running, plan, { backend, options }) : null;
    if (server !== null) return { reason: "server", detail: `${backend}/${server}` };
  }
  return null;
}

/** Whether HAProxy has a backend as it is wanted. */
function isAs({ loaded, carried }: Running, structure: BackendStructure): boolean {
  const known = loaded.backends.get(structure.name);
  if (known !== undefined) return known === describeBackend(structure);
  return carried.has(structure.name) && fitsSpare(structure);
}

/** Whether a service shares requests with one that HAProxy refused, and of which it has nothing: no reload helps then. */
function leadsNowhere(running: Running, plan: Plan, service: string): boolean {
  const backends = plan.needs.get(service)?.backends ?? [];
  return [...backends].some(
    (name) => !plan.structure.backends.has(name) && !hasBackend(running, name) && !OWN_BACKENDS.has(name),
  );
}

/** Says of a backend whether its service is new too; asked for one of many alone. */
function named(reload: Reload, { loaded, carried }: Running): Reload {
  if (reload.reason !== "backend") return reload;
  const service = ownerOf(reload.detail);
  const isNew = ![...loaded.backends.keys(), ...carried.keys()].some((other) => other.startsWith(`${service}:`));
  return isNew ? { ...reload, reason: "service" } : reload;
}

/** A server that no command can bring: a new one where HAProxy takes none, or one with another place in an order. */
function serverToReload(
  running: Running,
  plan: Plan,
  { backend, options }: { readonly backend: string; readonly options: WaitingOptions },
): string | null {
  const isOrdered = plan.structure.backends.get(backend)?.balance.kind === "ordered";
  if (!isOrdered && options.dynamicServers) return null;
  const has = running.servers.get(backend);
  for (const server of plan.servers.get(backend)?.values() ?? []) {
    const known = has?.get(server.name);
    if (known === undefined ? server.ready && !options.dynamicServers : isOrdered && known.id !== server.id)
      return server.name;
  }
  return null;
}

/** A reload that only takes out what the plan has no more: no request waits for it. */
function generalReload(running: Running, plan: Plan, { unusedBackendsMax }: WaitingOptions): Reload | null {
  const { loaded, carried } = running;
  const { backends, tcpListeners } = plan.structure;
  const gonePort = [...loaded.listeners.keys()].find((service) => !tcpListeners.has(service));
  if (gonePort !== undefined) return { reason: "tcp port", detail: gonePort };
  const unused = loaded.backends.size + carried.size - backends.size;
  return unused > unusedBackendsMax ? { reason: "unused", detail: `${unused} backends` } : null;
}

/** service → the services with which it shares requests, by its routes or theirs, now or as HAProxy has it. */
function linksOf(running: Running, plan: Plan, { followed, isSettled }: WaitingOptions): Map<string, Set<string>> {
  const links = new Map<string, Set<string>>();
  const link = (a: string, b: string): void => {
    if (a === b) return;
    for (const [from, to] of [[a, b] as const, [b, a] as const])
      links.set(from, (links.get(from) ?? new Set()).add(to));
  };
  for (const { views } of followed === null ? [plan] : [plan, followed]) {
    for (const [service, { tables }] of views) {
      for (const { routes } of tables)
        for (const { target } of routes) link(service, parseServiceAddress(target).service);
    }
  }
  if (isSettled) return links;
  // Where no table is known that HAProxy follows, only its maps tell.
  for (const [service, backend] of leads(running))
    if (followed?.views.has(service) !== true) link(service, ownerOf(backend));
  return links;
}

/** Where the maps of a running HAProxy lead. */
function* leads({ maps, blocks }: Running): Generator<readonly [service: string, backend: string]> {
  for (const map of POINTER_MAPS) {
    for (const [key, pointer] of maps[map]) {
      const lines = blocks.get(pairOf(Number(pointer)))?.lines.values() ?? [];
      const nodes = new Set([...lines].flatMap((line) => (NODE_MAPS.has(line.map) ? [line.value] : [])));
      for (const node of nodes) yield [ownerOf(key), node];
    }
  }
  for (const map of ["plain", "tcp_plain", "last"] as const)
    for (const [key, node] of maps[map]) yield [ownerOf(key), node];
}

/** The maps of blocks whose values are nodes. */
const NODE_MAPS: ReadonlySet<string> = new Set(["draw", "when_path", "when_node"]);

function addLinked(services: Set<string>, links: ReadonlyMap<string, ReadonlySet<string>>): void {
  // A set goes through what is added meanwhile too.
  for (const service of services) for (const other of links.get(service) ?? []) services.add(other);
}
