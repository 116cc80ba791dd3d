import type { Explanation } from "@datawire/api";
import { type Catalog, DownTable } from "@datawire/catalog";
import { type CallerContext, explain, type RequestFacts, sharedZone } from "@datawire/routing";
import { type Finder, findingsOf, unreachableFor } from "./findings.ts";
import { isCaller } from "../model/callers.ts";

/** A client as far as it tells where it is, and what its proxy finds. */
interface Placed extends Finder {
  readonly zone: string | null;
}

/** Where requests go, by the table and by what the caller's own proxies find; null for a service that is not there. */
export type ExplainAsFound = (service: string, caller: string, request?: RequestFacts) => Explanation | null;

interface CallerSeen {
  readonly table: DownTable;
  readonly who: CallerContext;
  /** What its proxies find, by service. */
  readonly findings: ReadonlyMap<string, NonNullable<Explanation["findings"]>>;
}

/** For one answer: clients are gone through once for each caller, however many services are asked about. */
export function explainAsFound(table: Catalog, clients: readonly Placed[]): ExplainAsFound {
  const seen = new Map<string, CallerSeen>();
  return (service, caller, request = {}) => {
    const own = seen.get(caller) ?? see(table, clients, caller);
    seen.set(caller, own);
    const explanation = explain(own.table, service, own.who, request);
    const found = own.findings.get(service);
    return explanation === null || found === undefined ? explanation : { ...explanation, findings: found };
  };
}

function see(table: Catalog, clients: readonly Placed[], caller: string): CallerSeen {
  const own = clients.filter(({ name }) => caller === "*" || name === caller);
  const found = [...findingsOf(own)].flatMap(([key, list]) => {
    const at = key.indexOf("@");
    return list.map((one) => ({ service: key.slice(0, at), shown: { ...one, name: key.slice(at + 1) } }));
  });
  const byService = Map.groupBy(found, ({ service }) => service);
  return {
    table: new DownTable(table, unreachableFor(clients, caller)),
    who: callerContext(clients, caller),
    findings: new Map([...byService].map(([service, list]) => [service, list.map(({ shown }) => shown)])),
  };
}

/** A caller as it sees the table. */
export function callerContext(clients: readonly Placed[], caller: string): CallerContext {
  const zones = clients.filter(({ kind, name }) => name === caller && isCaller(kind)).map(({ zone }) => zone);
  return { caller, zone: sharedZone(zones) };
}
