import type { RouteListing, ServiceListing } from "@datawire/api";
import {
  describeGeneration,
  generationOf,
  type Instance,
  isUsable,
  parseServiceAddress,
  type Route,
  type RouteTable,
  slotsToPercent,
} from "@datawire/protocol";
import { type TrafficSplit, splitTraffic } from "./traffic-split.ts";
import { covers, roleOf } from "./groups.ts";
import type { Pool } from "./destinations.ts";
import type { ServiceView, CatalogReader } from "@datawire/catalog";

/** Shows a service as users and scripts see it; null for one that the table does not know. */
export function listService(table: CatalogReader, name: string): ServiceListing | null {
  const view = table.service(name);
  const split = splitTraffic(table, name, { caller: "*", zone: null });
  if (view === null || split === null) return null;
  // Instances of another service, or a default URL, may answer for one that has none.
  const helpsOut = view.instances.some(isUsable) || reaches(split, (kind) => kind !== "refused");
  const waits = waitsForMessages(view);
  const status = split.degraded === null || waits ? "live" : helpsOut ? "degraded" : "down";
  return {
    service: name,
    protocol: view.service.protocol,
    primary: view.service.primary === "" ? null : view.service.primary,
    status,
    reason: waits ? `${split.degraded}; messages for it wait at its address` : degradedReason(split),
    instances: view.instances.map((instance) => ({
      name: instance.name,
      version: instance.version,
      url: instance.url,
      state: instance.state,
      role: roleOf(view, instance),
      reason: instance.reason ?? roleReason(view, instance),
      zone: instance.zone,
      since: new Date(instance.since).toISOString(),
      weight: instance.weight,
      tags: instance.tags,
      protocol: instance.protocol,
      ...(instance.tls === undefined ? {} : { tls: instance.tls }),
    })),
  };
}

/**
 * Whether a service is none but for its name: messages wait at a queue of that, and pages, or clients that say of no instance that
 * they are one, may be all that ever takes them.
 */
function waitsForMessages({ service, instances }: ServiceView): boolean {
  return service.protocol === "amqp" && service.primary === null && instances.length === 0;
}

/** Why a service is not as it should be, and that its default URL helps out where it does. */
function degradedReason(split: TrafficSplit): string | null {
  const { degraded } = split;
  const byDefault = reaches(split, (kind) => kind === "url");
  return degraded !== null && byDefault ? `${degraded}; the default URL takes its requests` : degraded;
}

function reaches({ shares }: TrafficSplit, isKind: (kind: Pool["kind"]) => boolean): boolean {
  return shares.some(({ parts }) => parts.some(({ pool }) => isKind(pool.kind)));
}

/** Shows every route of a table. */
export function listRoutes(table: CatalogReader, routes: RouteTable): RouteListing[] {
  return routes.routes.map((route) => ({
    caller: routes.caller,
    service: routes.service,
    target: route.target,
    percent: slotsToPercent(route.share),
    status: isWaiting(table, route.target) ? "waiting" : "active",
    reading: route.reading,
    when: route.when,
    sticky: routes.sticky,
    expires: expiryOf(route),
  }));
}

/** Whether no registered instance matches a target. */
export function isWaiting(table: CatalogReader, target: string): boolean {
  const address = parseServiceAddress(target);
  const view = table.service(address.service);
  if (view === null) return true;
  const whole = address.instance === null && address.version === null;
  if (whole && view.service.settings.defaultUrl !== null) return false;
  return !view.instances.some((instance) => covers(address, instance));
}

function expiryOf(route: Route): string | null {
  return route.expiry === null ? null : new Date(route.expiry.atMs).toISOString();
}

/** Why a live instance that is held gets nothing. */
function roleReason(view: ServiceView, instance: Instance): string | null {
  if (roleOf(view, instance) !== "held") return null;
  return `held: ${describeGeneration(generationOf(instance.version))} is not the primary, and no route names it`;
}
