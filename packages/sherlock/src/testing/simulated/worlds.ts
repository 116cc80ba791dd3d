import type { Catalog } from "@datawire/catalog";
import { type Instance, type InstanceState, isUsable } from "@datawire/protocol";
import fc from "@datawire/protocol/testing/random";
import { type Entity, instance, routes, service, catalogOf } from "../entities.ts";

/** Tables by chance, of services `a` and `b`, which share requests, and `t`, which is TCP; each as a record that can be changed. */

const states = fc.constantFrom<InstanceState>("live", "live", "live", "live", "down", "draining", "lost");
const oneInstance = (name: string) =>
  fc.record({
    name: fc.constant(name),
    version: fc.constantFrom("1", "1", "2", "2.1", "3"),
    state: states,
    base: fc.constantFrom("", "", "", "/base"),
    weight: fc.constantFrom(100, 100, 7),
  });
const oneRoute = fc.record({
  share: fc.constantFrom(0, 500, 1_500, 3_000),
  when: fc.constantFrom(null, null, "path:/x", "header:k=v", "cookie:k=v", "header:k=w"),
});
const oneTable = (targets: readonly string[]) =>
  fc.option(
    fc.record({
      caller: fc.constantFrom("*", "monolith"),
      sticky: fc.constantFrom(null, "header:u", "header:w"),
      list: fc
        .uniqueArray(fc.tuple(fc.constantFrom(...targets), oneRoute), {
          selector: ([target]) => target,
          minLength: 1,
          maxLength: 3,
        })
        .map((pairs) => Object.fromEntries(pairs)),
    }),
    { nil: null },
  );
const oneService = (name: string, targets: readonly string[]) =>
  fc.record({
    name: fc.constant(name),
    there: fc.constantFrom(true, true, true, true, false),
    primary: fc.constantFrom("1", "1", "1", "2"),
    balance: fc.constantFrom(null, null, "least-connections", "ordered"),
    timeoutMs: fc.constantFrom(null, null, 5_000),
    failover: fc.constantFrom("any" as const, "any" as const, "none" as const),
    hasDefault: fc.constantFrom(false, false, true),
    instances: fc
      .tuple(...["i1", "i2", "i3"].map((one) => fc.option(oneInstance(one), { nil: null, freq: 2 })))
      .map((made) => made.filter((one) => one !== null)),
    routes: oneTable(targets),
  });
const A = oneService("a", ["//a(2)", "//a(2.1)", "//a@i1", "//a@i2", "//b", "//b(2)", "//a(3)"]);
const B = oneService("b", ["//b(2)", "//b@i1", "//b@i3"]);
const T = oneService("t", ["//t(2)", "//t@i1", "//t@i2"]);

type Made = NonNullable<ReturnType<typeof A.generate>["value"]>;

/** The services of a world that is made by chance; `t` is of TCP. */
export interface World {
  readonly a: Made;
  readonly b: Made;
  readonly t: Made;
}

/** Where an instance listens, as `HOST:PORT`; `old` is the default URL. */
export type AddressOf = (service: string, instance: string) => string;

const nowhere: AddressOf = (name, one) => {
  const port = { a: 1_000, b: 2_000, t: 3_000 }[name] as number;
  return `10.0.0.1:${one === "old" ? 9_000 : port + Number(one.slice(1))}`;
};

function entitiesOf({ name, there, instances, routes: made, ...fields }: Made, addressOf: AddressOf): Entity[] {
  if (!there) return [];
  const isTcp = name === "t";
  const protocol = isTcp ? "tcp" : "http";
  const { primary, balance, timeoutMs, failover } = fields;
  const defaultUrl = fields.hasDefault && !isTcp ? `http://${addressOf(name, "old")}/old` : null;
  return [
    service(name, { primary, protocol, settings: { balance, timeoutMs, failover, defaultUrl } }),
    ...instances.map(({ base, ...one }) => {
      const url = `${protocol}://${addressOf(name, one.name)}${isTcp ? "" : base}`;
      return instance(name, one.name, { ...one, order: Number(one.name.slice(1)), url, protocol });
    }),
    ...(made === null ? [] : [routesOf(name, made)]),
  ];
}

function routesOf(name: string, { caller, sticky, list }: NonNullable<Made["routes"]>): Entity {
  if (name !== "t") return routes(name, list, { caller, sticky });
  const plain = Object.entries(list).map(([target, { share }]) => [target, { share }] as const);
  return routes(name, Object.fromEntries(plain), { caller });
}

/** The table of a world. */
export function tableFrom({ a, b, t }: World, addressOf = nowhere): Catalog {
  return catalogOf(...entitiesOf(a, addressOf), ...entitiesOf(b, addressOf), ...entitiesOf(t, addressOf));
}

/** What one command of an operator, or one word of a Watson, changes. */
const CHANGED = ["primary", "balance", "timeoutMs", "failover", "hasDefault", "instances", "routes", "there"] as const;
const pick = fc.record({
  service: fc.constantFrom("a" as const, "a" as const, "b" as const, "t" as const),
  field: fc.constantFrom(...CHANGED, "routes", "routes", "instances", "instances"),
});
/** A world by chance. */
export const worlds = fc.record({ a: A, b: B, t: T });

type Pick = ReturnType<typeof pick.generate>["value"];

/** A world with some of its fields as another one has them: the more usual, and the sharper, kind of change. */
function withFields(world: World, { other, picks }: { readonly other: World; readonly picks: readonly Pick[] }): World {
  let next = world;
  for (const { service: of, field } of picks) next = { ...next, [of]: { ...next[of], [field]: other[of][field] } };
  return next;
}

/** What makes another world of one. */
export const changes = fc
  .record({ other: worlds, picks: fc.array(pick, { minLength: 1, maxLength: 3 }) })
  .map((change) => (world: World) => withFields(world, change));

/** A world and one that differs by a change or three. */
export const changed = fc.tuple(worlds, changes).map(([from, change]) => [from, change(from)] as const);

/** What may serve beside the instances of the present world. */
export interface StatesOptions {
  /** Whether an instance that only ends, by `service@name`, serves on. */
  readonly keepsEnding?: (instance: string) => boolean;
  /** Whether an instance that has come to life serves already. */
  readonly takesNew?: boolean;
}

/**
 * A table with the liveness of a later one: what of it is right once somebody has died. Who only ends may serve on
 * until what takes its place is there.
 */
export function withStates(
  table: Catalog,
  later: Catalog,
  { keepsEnding = () => false, takesNew = true }: StatesOptions = {},
): Catalog {
  const { services, instances, tables } = table.snapshot();
  const now = new Map([...later.instances()].map((one) => [`${one.service}@${one.name}`, one]));
  return catalogOf(
    ...services,
    ...instances.map((one): Instance => {
      const other = now.get(`${one.service}@${one.name}`);
      const state = other?.state ?? "draining";
      if (keepsEnding(`${one.service}@${one.name}`) && state === "draining") return one;
      if (!takesNew && isUsable({ state }) && !isUsable(one)) return one;
      // That it lives elsewhere says nothing of where it was.
      const isMoved = other?.url !== one.url && (state === "live" || state === "lost");
      return isMoved ? one : { ...one, state };
    }),
    ...tables,
  );
}

/** Every service loses the first of its instances. */
export function withDeaths(table: Catalog): Catalog {
  const { services, instances, tables } = table.snapshot();
  const states = instances.map((one): Instance => (one.name === "i1" ? { ...one, state: "down" } : one));
  return catalogOf(...services, ...states, ...tables);
}
