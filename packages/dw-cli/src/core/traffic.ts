import type { Answer, Explanation, InstanceListing, ServiceListing } from "@datawire/api";
import { type Rates, type TrafficLine, ratesOf } from "./rates.ts";

/** The traffic of all services in one span of time: what `dw top` shows, and `dw top --json` prints. */
export interface Traffic {
  /** RFC 3339. */
  readonly from: string;
  readonly until: string;
  readonly services: readonly ServiceTraffic[];
}

/** The traffic of one service, by version and by caller. */
export interface ServiceTraffic {
  readonly service: string;
  readonly status: ServiceListing["status"];
  readonly live: number;
  readonly registered: number;
  readonly rates: Rates;
  readonly versions: readonly VersionTraffic[];
  readonly callers: readonly CallerTraffic[];
}

/** A part of a service's requests: its share by the routes, and its share by the counters. */
export interface Part {
  /** The share that the routes give this part, for any caller or for the caller in question; null where it is not known. */
  readonly sharePercent: number | null;
  /** The share of requests that this part got from the same callers; null without requests. */
  readonly requestPercent: number | null;
  readonly rates: Rates;
}

/** The traffic of one version of a service, by instance. */
export interface VersionTraffic extends Part {
  readonly version: string | null;
  readonly live: number;
  readonly registered: number;
  readonly instances: readonly InstanceTraffic[];
}

/** The traffic of one instance. */
export interface InstanceTraffic extends Part {
  /** Null for the default URL of the service. */
  readonly name: string | null;
  /** `gone` for an instance that got requests and is not registered any more. */
  readonly state: InstanceListing["state"] | "gone" | "default";
}

/** What one caller sends to one version of a service. */
export interface CallerTraffic extends Part {
  readonly caller: string;
  readonly version: string | null;
}

/** What the directory answered. */
export interface TrafficSources {
  readonly services: readonly ServiceListing[];
  readonly distributions: readonly Explanation[];
  readonly counters: Answer<"counters">;
}

/** Joins the instances, their shares by the routes, and the counters. */
export function trafficOf({ services, distributions, counters }: TrafficSources): Traffic {
  const { from, until } = counters;
  const seconds = Math.max(1, (Date.parse(until) - Date.parse(from)) / 1_000);
  const lines = groupBy(counters.counters, ({ service }) => service);
  const shares = groupBy(distributions, ({ service }) => service);
  return {
    from,
    until,
    services: services.map((listing) =>
      serviceTraffic(listing, {
        seconds,
        lines: lines.get(listing.service) ?? [],
        shares: shares.get(listing.service) ?? [],
      }),
    ),
  };
}

interface Context {
  readonly seconds: number;
  readonly lines: readonly TrafficLine[];
  readonly shares: readonly Explanation[];
}

function serviceTraffic(listing: ServiceListing, context: Context): ServiceTraffic {
  const { instances } = listing;
  return {
    service: listing.service,
    status: listing.status,
    live: instances.filter(isLive).length,
    registered: instances.length,
    rates: ratesOf(context.lines, context.seconds),
    versions: versionsOf(instances, context.lines).map((version) => versionTraffic(listing, version, context)),
    callers: callersOf(listing, context),
  };
}

function versionTraffic(
  listing: ServiceListing,
  version: string | null,
  { seconds, lines, shares }: Context,
): VersionTraffic {
  const own = listing.instances.filter((instance) => instance.version === version);
  const ownLines = lines.filter((line) => line.version === version);
  const share = shareReader(shares, "*");
  const part = (some: readonly TrafficLine[], someInstances: readonly InstanceListing[]): Part => ({
    sharePercent: share(someInstances),
    requestPercent: percentOf(some, lines),
    rates: ratesOf(some, seconds),
  });
  const gone = new Set(ownLines.map(({ instance }) => instance));
  for (const { name } of own) gone.delete(name);
  return {
    version,
    live: own.filter(isLive).length,
    registered: own.length,
    ...part(ownLines, own),
    instances: [
      ...own.map((instance) => ({
        name: instance.name,
        state: instance.state,
        ...part(
          ownLines.filter((line) => line.instance === instance.name),
          [instance],
        ),
      })),
      ...[...gone].map((name) => ({
        name,
        state: name === null ? ("default" as const) : ("gone" as const),
        ...part(
          ownLines.filter((line) => line.instance === name),
          [],
        ),
        sharePercent: null,
      })),
    ],
  };
}

/** For each caller that has routes of its own or that called: what each version should get of its requests, and got. */
function callersOf({ instances }: ServiceListing, { seconds, lines, shares }: Context): CallerTraffic[] {
  const callers = new Set([...shares.map(({ caller }) => caller), ...lines.map(({ caller }) => caller)]);
  callers.delete("*");
  return [...callers].sort().flatMap((caller) => {
    const own = lines.filter((line) => line.caller === caller);
    const share = shareReader(shares, caller);
    return versionsOf(instances, own).map((version) => {
      const some = own.filter((line) => line.version === version);
      return {
        caller,
        version,
        sharePercent: share(instances.filter((instance) => instance.version === version)),
        requestPercent: percentOf(some, own),
        rates: ratesOf(some, seconds),
      };
    });
  });
}

/** Those of instances, and those that got requests and have no instance any more. */
function versionsOf(instances: readonly InstanceListing[], lines: readonly TrafficLine[]): (string | null)[] {
  const versions = new Set([...instances, ...lines].map(({ version }) => version));
  return [...versions].sort((a, b) => (a ?? "").localeCompare(b ?? "", "en", { numeric: true }));
}

/** Sums what a caller's shares give to some instances. One without routes of its own is any caller. */
function shareReader(
  shares: readonly Explanation[],
  caller: string,
): (of: readonly InstanceListing[]) => number | null {
  const explanation = shares.find((one) => one.caller === caller) ?? shares.find((one) => one.caller === "*");
  if (explanation === undefined) return () => null;
  const percents = new Map<string, number>();
  // A share may go to another service, whose instances may have the same names.
  const key = ({ name, url }: { readonly name: string; readonly url: string }): string => `${name} ${url}`;
  for (const { instances } of explanation.shares) {
    for (const one of instances) percents.set(key(one), (percents.get(key(one)) ?? 0) + one.percent);
  }
  return (instances) => instances.reduce((sum, instance) => sum + (percents.get(key(instance)) ?? 0), 0);
}

function percentOf(some: readonly TrafficLine[], all: readonly TrafficLine[]): number | null {
  const sum = (lines: readonly TrafficLine[]): number => lines.reduce((total, { requests }) => total + requests, 0);
  const total = sum(all);
  return total === 0 ? null : (sum(some) / total) * 100;
}

const isLive = ({ state }: InstanceListing): boolean => state === "live";

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
