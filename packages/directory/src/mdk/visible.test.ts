import { expect, test } from "vitest";
import { createState, registration, state, at } from "../testing/worlds.ts";
import { isVisible } from "./visible.ts";

/** Of the service barker with these instances, the names of those that originals are told of. */
function told(
  instances: readonly string[],
  { named = [] as string[], primary = null as string | null } = {},
): string[] {
  const world = createState();
  state(
    world,
    "vm1",
    instances.map((text) => registration(text)),
  );
  const record = world.services.record("barker");
  if (primary !== null)
    world.set(
      {
        kind: "service",
        id: "barker",
        value: {
          name: "barker",
          declared: false,
          protocol: null,
          settings: record?.settings ?? world.table.service("barker")?.service.settings,
          primary,
        } as never,
      },
      at(0),
    );
  const routes = named.map((target, i) => ({
    target,
    share: 0,
    slots: [],
    when: null,
    reading: "caller" as const,
    order: i,
    expiry: null,
  }));
  if (routes.length > 0)
    world.set(
      { kind: "table", id: "*>barker", value: { caller: "*", service: "barker", sticky: null, routes } },
      at(0),
    );
  const view = world.table.service("barker");
  return (view?.instances ?? []).filter((one) => view !== null && isVisible(view, one)).map(({ name }) => name);
}

test("isVisible() shows live instances of the primary and held ones of other numbers", () => {
  expect(told(["barker@a:1", "barker@b:1.2", "barker@c:2"])).toEqual(["a", "b", "c"]);
});

test("isVisible() shows of the primary's generation none that a route names, and of others those too", () => {
  expect(told(["barker@a:1", "barker@b:1.2", "barker@c:2"], { named: ["//barker(1.2)", "//barker(2)"] })).toEqual([
    "a",
    "c",
  ]);
  expect(told(["barker@a:1", "barker@b:1"], { named: ["//barker@b"] })).toEqual(["a"]);
});

test("isVisible() shows of generations that are no numbers the primary's alone", () => {
  expect(told(["barker@a:blue", "barker@b:green", "barker@c:2"], { primary: "blue" })).toEqual(["a", "c"]);
  expect(told(["barker@a:blue", "barker@b:green", "barker@c:2"], { primary: "2" })).toEqual(["c"]);
  expect(told(["barker@a", "barker@b:1"], { primary: "1" })).toEqual(["b"]);
  expect(told(["barker@a", "barker@b:1"], { primary: "" })).toEqual(["a", "b"]);
});

test.each(["down", "draining"] as const)("isVisible() shows none that is %s", (its) => {
  const world = createState();
  state(world, "vm1", [registration("barker@a:1", { state: its })]);
  const view = world.table.service("barker");
  expect(view?.instances.map((one) => isVisible(view, one))).toEqual([false]);
});
