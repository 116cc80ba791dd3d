import type { Catalog } from "@datawire/catalog";
import { parseServiceAddress, tableKey } from "@datawire/protocol";
import type { Change } from "../model/records.ts";

/** The requests of one caller to one service. */
export interface Flow {
  readonly caller: string;
  readonly service: string;
}

/**
 * Whose requests a change concerns, each once: those of a changed route table; of a service that changed, or of which
 * an instance did, those of any caller, then of each with routes of its own, then those that routes of other services
 * lead to it.
 */
export function concerned(table: Catalog, { tables, services, drains }: Change): Flow[] {
  const names = new Set([
    ...services.map(({ key }) => key),
    ...drains.map(({ key }) => key.slice(0, key.lastIndexOf("@"))),
  ]);
  const flows = [
    ...[...names].flatMap((service) => [{ caller: "*", service }, ...ownTables(table, service)]),
    ...tables.flatMap(({ before, after }) => before ?? after ?? []),
    ...(names.size === 0 ? [] : leadingTo(table, names)),
  ];
  return [
    ...new Map(flows.map(({ caller, service }) => [tableKey({ caller, service }), { caller, service }])).values(),
  ];
}

function ownTables(table: Catalog, service: string): Flow[] {
  return (table.service(service)?.tables ?? []).toSorted((a, b) => (a.caller < b.caller ? -1 : 1));
}

function leadingTo(table: Catalog, names: ReadonlySet<string>): Flow[] {
  return [...table.routeTables()].filter(({ routes }) =>
    routes.some(({ target }) => names.has(parseServiceAddress(target).service)),
  );
}
