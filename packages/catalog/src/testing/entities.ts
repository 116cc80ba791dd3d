import {
  assignSlots,
  type Instance,
  instanceSchema,
  type Route,
  type RouteTable,
  routeTableSchema,
  type Service,
  serviceSchema,
} from "@datawire/protocol";
import { Catalog } from "../catalog/catalog.ts";

/** Builders for tests: a table in a few words. */

/** An instance written as `barker@vm101(1.4)`; what is not given has its default. */
export function instance(text: string, rest: Partial<Instance> = {}): Instance {
  const [, service, name, version] = /^([^@]+)@([^(]+)(?:\((.*)\))?$/.exec(text) as RegExpExecArray;
  return instanceSchema.parse({
    service,
    name,
    version: version ?? null,
    url: `http://${name}.example.com:8080`,
    state: "live",
    since: 0,
    order: 0,
    ...rest,
  });
}

/** A route table; each route as `[target, share in slots, more]`. */
export function routes(
  caller: string,
  service: string,
  list: readonly (readonly [target: string, share: number, rest?: Partial<Route>])[],
  sticky: string | null = null,
): RouteTable {
  const slots = assignSlots(list.map(([, share]) => ({ slots: [], share })));
  return routeTableSchema.parse({
    caller,
    service,
    sticky,
    routes: list.map(([target, share, rest], order) => ({
      target,
      share,
      slots: slots[order],
      reading: "caller",
      order,
      ...rest,
    })),
  });
}

/** A table of these instances, in the order of their registration; services come into being as they are named. */
export function catalogOf(
  instances: readonly Instance[],
  {
    services = [],
    tables = [],
  }: { services?: readonly (Partial<Service> & { name: string })[]; tables?: readonly RouteTable[] } = {},
): Catalog {
  const table = new Catalog();
  const names = new Set(instances.map(({ service }) => service));
  for (const { name } of services) names.delete(name);
  table.apply({
    services: [
      ...services.map((service) => serviceSchema.parse(service)),
      ...[...names].map((name) => serviceSchema.parse({ name, primary: "1" })),
    ],
    instances: instances.map((one, order) => ({ ...one, order })),
    tables: [...tables],
    gone: { services: [], instances: [], tables: [] },
  });
  return table;
}
