import { expect, test } from "vitest";
import { instance, routes, service, catalogOf } from "../../testing/entities.ts";
import { contentsOf, INPUTS, plannerOf } from "../../testing/plans.ts";
import type { PlanInputs } from "./planner.ts";

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
