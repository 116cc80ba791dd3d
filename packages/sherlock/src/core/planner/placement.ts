import {
  type Balance,
  type Instance,
  type InstanceTls,
  isIpLiteral,
  isMachineLocal,
  isUsable,
  WEIGHT_MAX,
} from "@datawire/protocol";
import { groupOf, type Pool } from "@datawire/routing";
import type { ServiceView } from "@datawire/catalog";
import { type BackendKey, backendName, isServerName, variantOf } from "../model/backend-key.ts";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";
import { spread } from "../model/hash.ts";
import { limitsOf, type ServiceOverride } from "../model/limits.ts";
import type { PlannedServer } from "../model/plan.ts";
import { type Endpoint, endpointOf, endpointOfUrl, type EndpointResult, type Resolve } from "./reachable-table.ts";

/** Where an instance, or a default URL, is placed: its backend, and the server in it. */
export interface Placement {
  readonly key: BackendKey;
  readonly backend: string;
  readonly server: PlannedServer;
}

/** Where an instance is reached, or why it cannot be. */
export type PlacementResult =
  | { readonly ok: true; readonly placement: Placement }
  | { readonly ok: false; readonly reason: string };

/** What placing instances depends on beside the table. */
export interface PlacementContext {
  /** The zone of the caller, where it has one. */
  readonly zone: string | null;
  readonly resolve: Resolve;
  /** What this machine sets for single services. */
  readonly overrides: ReadonlyMap<string, ServiceOverride>;
  readonly features: HaproxyFeatures;
}

/** Places an instance of a service. */
export function placeInstance(view: ServiceView, instance: Instance, context: PlacementContext): PlacementResult {
  const far = context.zone !== null && instance.zone !== context.zone;
  const group = groupOf(view, instance);
  return place(endpointOf(instance, view.service, context.resolve), context.features, {
    key: { service: view.service.name, group, protocol: instance.protocol, far },
    tls: instance.tls,
    weight: instance.weight,
    ready: isUsable(instance),
    draining: instance.state === "draining",
    id: instance.order + 1,
    drainMs: answersNothing(instance) ? silentDrainMs(view, instance, context) : instance.drainMs,
    instances: [{ name: instance.name, version: instance.version }],
  });
}

/** Places the default URL of a service. */
export function placeDefault(view: ServiceView, url: string, context: PlacementContext): PlacementResult {
  const { name, protocol } = view.service;
  return place(endpointOfUrl(url, protocol, context.resolve), context.features, {
    key: { service: name, group: null, protocol, far: false },
    tls: undefined,
    weight: 100,
    ready: true,
    draining: false,
    id: 1,
    drainMs: DEFAULT_DRAIN_MS,
    instances: [],
  });
}

/** A weakness of an instance that an operator should know of, although it is served; null for none. */
export function weaknessOf({ key, server }: Placement): string | null {
  if (!key.tls || !key.tlsVerify || server.tlsName !== null || isMachineLocal(server.address)) return null;
  return "HAProxy compares the names of a certificate and no addresses: any of its authorities will do; wanted a host name in `url`, or `tls: { server_name }` in its service file";
}

/** A backend with its part of a pool's requests. */
export interface WeightedBackend {
  readonly backend: string;
  readonly weight: number;
}

/**
 * The backends that share the requests of a pool. Instances with different base paths share by their live weights; with
 * `ordered` the first instance's backend has them all (routing rules, section 5).
 */
export function backendsOf(
  pool: Pool,
  { view, balance }: { readonly view: ServiceView; readonly balance: Balance },
  context: PlacementContext,
): WeightedBackend[] {
  switch (pool.kind) {
    case "refused":
      return [];
    case "url": {
      const placed = placeDefault(view, pool.url, context);
      return placed.ok ? [{ backend: placed.placement.backend, weight: 1 }] : [];
    }
    case "instances": {
      const members = balance.kind === "ordered" ? pool.instances.slice(0, 1) : pool.instances;
      const weights = new Map<string, number>();
      for (const instance of members) {
        const placed = placeInstance(view, instance, context);
        if (!placed.ok) continue;
        const { backend } = placed.placement;
        weights.set(backend, (weights.get(backend) ?? 0) + instance.weight);
      }
      return [...weights].map(([backend, weight]) => ({ backend, weight }));
    }
  }
}

/** The drain of a default URL, which has no registration that says one. */
const DEFAULT_DRAIN_MS = 10_000;

/** The highest id of a server; the next one is that of the fallback. */
export const ID_MAX = 2 ** 31 - 2;

/** Several instances with one URL are one server. */
export function mergeServers(a: PlannedServer, b: PlannedServer): PlannedServer {
  const both = a.ready === b.ready;
  const weight = both ? Math.min(WEIGHT_MAX, a.weight + b.weight) : (a.ready ? a : b).weight;
  return {
    ...a,
    weight,
    ready: a.ready || b.ready,
    draining: a.draining || b.draining,
    id: Math.min(a.id, b.id),
    drainMs: Math.max(a.drainMs, b.drainMs),
    instances: [...a.instances, ...b.instances],
  };
}

/**
 * Gives the servers of a backend ids of their own: by first registration where that decides (`ordered`), by name where
 * the place in a hash ring follows from it, so that every Sherlock, and each one after a reload, sends a key to the
 * same instance.
 */
export function numberServers(servers: Iterable<PlannedServer>, balance: Balance): PlannedServer[] {
  const taken = new Set<number>();
  const wanted = (server: PlannedServer): number =>
    balance.kind === "ordered" ? server.id : (spread(server.name) % ID_MAX) + 1;
  return [...servers]
    .sort((a, b) => wanted(a) - wanted(b) || (a.name < b.name ? -1 : 1))
    .map((server) => {
      let id = Math.min(wanted(server), ID_MAX);
      while (taken.has(id)) id = (id % ID_MAX) + 1;
      taken.add(id);
      return { ...server, id };
    });
}

/** How much longer than its time-out the last request of a service may take to be answered. */
const TIMEOUT_MARGIN_MS = 1_000;

/**
 * What waits for such an instance is cut at once, to be repeated elsewhere; where HAProxy does not repeat what is cut,
 * its own time-out answers, and is given the time.
 */
function silentDrainMs({ service }: ServiceView, { drainMs }: Instance, context: PlacementContext): number {
  if (context.features.repeatsCut) return 0;
  const { timeoutMs } = limitsOf(service.settings, context.overrides.get(service.name));
  return Math.max(drainMs, timeoutMs + TIMEOUT_MARGIN_MS);
}

/**
 * What is open at an instance of which nothing comes back would only wait: cut at once, what is safe to repeat is
 * answered elsewhere. One that refuses connections may be ending in peace, with its port closed and its last answers
 * still to come; if it died, the kernel has cut them already.
 */
function answersNothing({ state, cause }: Instance): boolean {
  return state === "down" && cause === "timeout";
}

interface Place extends Pick<PlannedServer, "weight" | "ready" | "draining" | "id" | "drainMs" | "instances"> {
  readonly key: Pick<BackendKey, "service" | "group" | "protocol" | "far">;
  readonly tls: InstanceTls | undefined;
}

function place(
  result: EndpointResult,
  { hostFromName }: HaproxyFeatures,
  { key: partial, tls, ...rest }: Place,
): PlacementResult {
  if (!result.ok) return result;
  const { url, address } = result.endpoint;
  const key: BackendKey = { ...partial, ...variantOf({ url, protocol: partial.protocol, tls }, hostFromName) };
  const server: PlannedServer = {
    ...rest,
    name: serverName(url),
    address,
    port: url.port,
    tlsName: key.tlsName ?? tlsName(url),
  };
  return { ok: true, placement: { key, backend: backendName(key), server } };
}

/** Named for what `Host` has to say, which HAProxy then takes from the name (`http-send-name-header`). */
function serverName({ authority }: Endpoint["url"]): string {
  return isServerName(authority) ? authority : authority.replace(/[[\]]/g, "");
}

function tlsName({ scheme, host }: Endpoint["url"]): string | null {
  return scheme === "https" && !isIpLiteral(host) ? host.replace(/\.$/, "") : null;
}
