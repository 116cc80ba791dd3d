import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { catalogOf, change, instance, routes, service } from "../../testing/entities.ts";
import { contentsOf, INPUTS, plannerOf } from "../../testing/plans.ts";
import { changes, tableFrom, worlds } from "../../testing/simulated/worlds.ts";
import type { Plan } from "../model/plan.ts";
import type { Planner, PlanInputs } from "./planner.ts";

const RUNS = process.env["DSTACK_SOAK"] === "1" ? 2_000 : 60;

/** A planner at which `broken` makes every look at a host of that name throw. */
function create() {
  const planner = plannerOf({ tcp: { listen: new Map(), range: null } });
  const broken = new Set<string>();
  const inputs: PlanInputs = {
    ...INPUTS,
    resolve(host) {
      if (broken.has(host)) throw new TypeError("cannot read properties of undefined");
      return { state: "known", address: "10.0.0.1" };
    },
  };
  return { planner, broken, inputs };
}

const table = catalogOf(
  service("barker"),
  instance("barker", "a", { url: "http://bad.example.com:1" }),
  service("emitter"),
  instance("emitter", "a", { url: "http://good.example.com:2" }),
  service("constructor"),
  instance("constructor", "a", { url: "http://good.example.com:3" }),
  service("__proto__"),
  instance("__proto__", "a", { url: "http://good.example.com:4" }),
  routes("__proto__", { "//__proto__@a": { share: 100 } }),
);

test("plan() serves a service whose planning fails as it was before, and says so", () => {
  const { planner, broken, inputs } = create();
  const before = planner.plan(table, inputs);
  expect(before.problems).toEqual([]);
  broken.add("bad.example.com");
  planner.forget(null);
  const after = planner.plan(table, inputs);
  expect(contentsOf(after)).toEqual({
    ...contentsOf(before),
    problems: [
      {
        subject: "//barker",
        message: "cannot be planned: cannot read properties of undefined; it is served as it was before",
        severity: "error",
      },
    ],
  });
  broken.clear();
  planner.forget(["barker"]);
  expect(contentsOf(planner.plan(table, inputs))).toEqual(contentsOf(before));
});

test("plan() leaves out a service whose planning never went well, and plans the others", () => {
  const { planner, broken, inputs } = create();
  broken.add("bad.example.com");
  const plan = planner.plan(table, inputs);
  expect(plan.maps.known.get("barker")).toBe("cannot read properties of undefined");
  expect([...plan.maps.plain.keys()]).toEqual(expect.arrayContaining(["constructor", "emitter"]));
  expect(plan.problems).toMatchObject([{ subject: "//barker", message: expect.stringContaining("it is not served") }]);
});

test("plan() says what goes by the address of a client on loopback, where all have one", () => {
  const { planner, inputs } = create();
  const byAddress = catalogOf(
    service("barker", { settings: { balance: "consistent:ip" } }),
    instance("barker", "a"),
    instance("barker", "b", { version: "2", order: 1 }),
    routes("barker", { "//barker(2)": { share: 1_000 } }, { sticky: "ip" }),
  );
  const { problems } = planner.plan(byAddress, inputs);
  expect(problems).toMatchObject([
    { subject: "//barker", message: expect.stringContaining("consistent:ip: on loopback") as string },
    { subject: "//barker", message: expect.stringContaining("--sticky ip): on loopback") as string },
  ]);
});

test("plan() counts no longer than HAProxy can, and says so", () => {
  const { planner, inputs } = create();
  const ms = 700 * 3_600_000;
  const slow = catalogOf(
    service("slow", { settings: { timeoutMs: ms, queueTimeoutMs: ms, slowStartMs: 5_000 } }),
    instance("slow", "a", { url: "http://good.example.com:2" }),
  );
  const plan = planner.plan(slow, inputs);
  expect([...plan.structure.backends.values()].map(({ limits }) => limits)).toMatchObject([
    { timeoutMs: 2 ** 31 - 1, queueTimeoutMs: 2 ** 31 - 1, slowStartMs: 5_000 },
  ]);
  expect(plan.problems.map(({ subject, message }) => [subject, message])).toEqual([
    ["//slow", "Cannot wait as long as timeout=700h says: HAProxy counts to 24d, which it is now"],
    ["//slow", "Cannot wait as long as queue-timeout=700h says: HAProxy counts to 24d, which it is now"],
  ]);
});

/** The services of a world; some of them are refused, kept as they were, or wait, one step after the other. */
const some = fc.subarray(["a", "b", "t"]);
const stages = fc.array(
  fc.record({ change: changes, refused: some, kept: some, held: some, isPortTaken: fc.boolean() }),
  {
    maxLength: 6,
  },
);

test("a plan that is made of the one before is what it is when it is made anew, whatever is refused, kept or waits", () => {
  fc.assert(
    fc.property(worlds, stages, (first, then) => {
      const catalog = catalogOf();
      const planner = plannerOf({ explain: true });
      let world = first;
      let before: Plan | null = null;
      for (const { change, refused, kept, held, isPortTaken } of then) {
        world = change(world);
        planner.forget(catalog.apply(catalog.changeTo(tableFrom(world).snapshot())));
        const viewsOf = (names: readonly string[]) =>
          new Map(names.flatMap((name) => [[name, before?.views.get(name) ?? null] as const]));
        const keptViews = [...viewsOf(kept)].flatMap(([name, view]) => (view === null ? [] : [[name, view] as const]));
        const inputs: PlanInputs = {
          ...INPUTS,
          quarantined: new Map(refused.map((name) => [name, "no good"])),
          kept: new Map(keptViews.filter(([name]) => refused.includes(name))),
          portsTaken: new Map(isPortTaken ? [["127.0.0.1:6001", "another"]] : []),
        };
        const anew = (): Planner => plannerOf({ explain: true });
        const plan = planner.plan(catalog, inputs);
        expect(contentsOf(plan)).toEqual(contentsOf(anew().plan(catalog, inputs)));
        const waits = { held: viewsOf(held), keepsLast: true };
        expect(contentsOf(planner.interim(catalog, inputs, waits))).toEqual(
          contentsOf(anew().interim(catalog, inputs, waits)),
        );
        before = plan;
      }
    }),
    { numRuns: RUNS },
  );
});

test("plan() leaves the parts of services alone that do not change, and makes those anew whose place is another's", () => {
  const tcp = (name: string, proxyPort: number) => [
    service(name, { protocol: "tcp", proxyPort }),
    instance(name, "i", { protocol: "tcp", url: "tcp://127.0.0.1:9000" }),
  ];
  const catalog = catalogOf(service("a"), instance("a", "i"), service("b"), ...tcp("y", 6_001));
  const planner = plannerOf();
  const before = planner.plan(catalog, INPUTS);
  planner.forget(catalog.apply(change(instance("b", "i"))));
  const next = planner.plan(catalog, INPUTS);
  expect([...next.parts.differences(before.parts)]).toEqual(["b"]);
  // By name it comes first, and has the port that the other had.
  planner.forget(catalog.apply(change(...tcp("x", 6_001))));
  expect([...planner.plan(catalog, INPUTS).parts.differences(next.parts)].sort()).toEqual(["x", "y"]);
});
