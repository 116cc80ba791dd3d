import { expect, test } from "vitest";
import { instance, catalogOf, type Entity, service } from "../../testing/entities.ts";
import { INPUTS, plannerOf, SETTINGS } from "../../testing/plans.ts";
import type { Plan } from "../model/plan.ts";
import { checkSeconds } from "./check-interval.ts";
import { commandText } from "./commands-text.ts";
import { viewOf } from "./render.ts";

/** A plan of services of a hundred instances, each at a port of its own. */
function planOf(services: number): Plan {
  const entities = Array.from({ length: services }, (_, s): Entity[] => [
    service(`s${s}`),
    ...Array.from({ length: 100 }, (_, i) => instance(`s${s}`, `i${i}`, { url: `http://127.0.0.1:${1_000 + i}` })),
  ]);
  return plannerOf().plan(catalogOf(...entities.flat()), INPUTS);
}

test.each([
  [0, 30],
  [1, 30],
  [15, 30],
  [16, 60],
  [50, 120],
])("checkSeconds() of %d hundred servers is %d", (hundreds, seconds) => {
  expect(checkSeconds(planOf(hundreds).servers)).toBe(seconds);
});

test("checkSeconds() is ten minutes at the most", () => {
  const [, servers] = [...planOf(1).servers][0] ?? [];
  const many = new Map(Array.from({ length: 1_000 }, (_, i) => [`b${i}`, servers ?? new Map()]));
  expect(checkSeconds(many)).toBe(600);
});

test("a server of the configuration and one that is added are asked as often", () => {
  const plan = planOf(16);
  const server = plan.servers.get("s0:v1")?.values().next().value;
  if (server === undefined) throw new Error("s0:v1 has no server");
  const { maps, caFile } = SETTINGS;
  const context = { backends: plan.structure.backends, servers: plan.servers, maps, caFile, carried: new Map() };
  const [added] = commandText({ kind: "add-server", backend: "s0:v1", server }, context);
  const configured = viewOf(plan, SETTINGS, "x").backends.map(({ defaultServer }) => defaultServer);
  expect(added).toContain(" check inter 60s fastinter 500ms ");
  expect(new Set(configured.map((line) => line.slice(0, 15)))).toEqual(new Set(["check inter 60s"]));
});
