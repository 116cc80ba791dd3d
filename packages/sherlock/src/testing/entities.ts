import {
  type Instance,
  instanceSchema,
  type Route,
  type RouteTable,
  routeTableSchema,
  type Service,
  serviceSchema,
  type TableChange,
  emptyChange,
} from "@datawire/protocol";
import { Catalog } from "@datawire/catalog";

/** Makes entities of a table from what a test cares about. */
export type Entity = Service | Instance | RouteTable;

/** A service of HTTP with version 1 as its primary, but for `fields`. */
export function service(
  name: string,
  fields: Partial<Omit<Service, "settings">> & { readonly settings?: Partial<Service["settings"]> } = {},
): Service {
  return serviceSchema.parse({ name, primary: "1", ...fields });
}

/** A live instance on loopback, but for `fields`. */
export function instance(serviceName: string, name: string, fields: Partial<Instance> = {}): Instance {
  return instanceSchema.parse({
    service: serviceName,
    name,
    version: "1",
    url: `http://127.0.0.1:${8_000 + (fields.order ?? 0)}`,
    state: "live",
    since: 0,
    order: 0,
    ...fields,
  });
}

/** The routes of a caller to a service: a target with the fields of its route, each. */
export function routes(
  serviceName: string,
  shares: Readonly<Record<string, Partial<Route>>>,
  fields: Partial<Pick<RouteTable, "caller" | "sticky">> = {},
): RouteTable {
  let order = 0;
  let next = 0;
  const made = Object.entries(shares).map(([target, route]) => {
    const share = route.share ?? 0;
    const slots = share === 0 ? [] : [[next, (next += share)]];
    return { target, share, slots, reading: "caller", order: order++, ...route };
  });
  return routeTableSchema.parse({ caller: "*", service: serviceName, routes: made, ...fields });
}

/** A change that brings these entities. */
export function change(...entities: readonly Entity[]): TableChange {
  const made = emptyChange();
  for (const entity of entities) {
    if ("routes" in entity) made.tables.push(entity);
    else if ("url" in entity) made.instances.push(entity);
    else made.services.push(entity);
  }
  return made;
}

/** A table of these entities. */
export function catalogOf(...entities: readonly Entity[]): Catalog {
  const table = new Catalog();
  table.apply(change(...entities));
  return table;
}
