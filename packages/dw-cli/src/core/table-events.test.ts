import { emptyChange, type TableChange } from "@datawire/protocol";
import { instance, routes } from "@datawire/catalog/testing";
import { expect, test } from "vitest";
import { world } from "../testing/world.ts";
import { createChangeTeller } from "./table-events.ts";

/** What a change of the table is told as. */
function tell(change: Partial<TableChange>): string[] {
  const table = world();
  const teller = createChangeTeller();
  for (const name of table.serviceNames()) teller.take(name, table.service(name));
  const touched = table.apply({ ...emptyChange(), ...change });
  return [...touched].flatMap((name) =>
    teller.take(name, table.service(name)).map(({ kind, subject, message }) => `${kind} ${subject} ${message}`),
  );
}

const gone = { services: [], instances: [], tables: [] };

test.each<[string, Partial<TableChange>, string[]]>([
  ["nothing", {}, []],
  [
    "an instance that is new",
    { instances: [instance("barker@vm4(2.1)", { order: 9 })] },
    ["instance //barker@vm4 new, version 2.1, http://vm4.example.com:8080, live"],
  ],
  [
    "an instance that goes down",
    { instances: [instance("barker@vm1(1.0)", { state: "down", reason: "HTTP 500" })] },
    ["instance //barker@vm1 live → down: HTTP 500"],
  ],
  ["an instance that leaves", { gone: { ...gone, instances: ["barker@vm1"] } }, ["instance //barker@vm1 gone"]],
  [
    "an instance that has another URL",
    { instances: [instance("emitter@vm1", { url: "http://other" })] },
    ["instance //emitter@vm1 changed"],
  ],
  [
    "routes",
    { tables: [routes("monolith", "barker", [["//barker(2)", 2_000, { when: "path:/beta" }]])] },
    [
      "route //monolith → //barker //barker(2) 10% → 20% when path:/beta",
      "route //monolith → //barker //barker(3) 5% → removed",
    ],
  ],
  [
    "a first route",
    { tables: [routes("*", "emitter", [["//emitter@vm1", 1]])] },
    ["route //* → //emitter //emitter@vm1 0.01%"],
  ],
  [
    "a table of routes that goes",
    { gone: { ...gone, tables: ["monolith>barker"] } },
    ["route //monolith → //barker //barker(2) 10% → removed", "route //monolith → //barker //barker(3) 5% → removed"],
  ],
  [
    "a service that goes",
    { gone: { ...gone, services: ["emitter"], instances: ["emitter@vm1"] } },
    ["service //emitter gone", "instance //emitter@vm1 gone"],
  ],
])("createChangeTeller() tells %s", (_, change, expected) => {
  expect(tell(change)).toEqual(expected);
});

test("createChangeTeller() tells a promotion", () => {
  const service = { ...world().service("barker")!.service, primary: "2" };
  expect(tell({ services: [service] })).toEqual(["service //barker primary version 1 → version 2"]);
});
