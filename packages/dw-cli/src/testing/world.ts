import { explain, listRoutes, listService } from "@datawire/routing";
import type { Catalog } from "@datawire/catalog";
import { instance, routes, catalogOf } from "@datawire/catalog/testing";
import { ago, type Answers } from "./run.ts";

/** Two services, a canary, and a route that waits. */
export function world(): Catalog {
  const since = Date.parse(ago(3_600_000));
  return catalogOf(
    [
      instance("barker@vm1(1.0)", { since, order: 0 }),
      instance("barker@vm2(1.1)", { since, order: 1, state: "down", reason: "HTTP 503 \u001b[31m" }),
      instance("barker@vm3(2.0)", { since, order: 2, zone: "us-east-1a" }),
      instance("emitter@vm1", { since, order: 3 }),
    ],
    {
      services: [{ name: "emitter", primary: "" }],
      tables: [
        routes(
          "monolith",
          "barker",
          [
            ["//barker(2)", 1_000, { expiry: { atMs: Date.parse(ago(-7_190_000)), before: null } }],
            ["//barker(3)", 500],
          ],
          "header:x-user",
        ),
      ],
    },
  );
}

/** What a directory with that table answers to reads. */
export function answersOf(table: Catalog): Answers {
  const stamp = { epoch: "e", revision: 7 };
  const names = [...table.serviceNames()].sort();
  const callers = (service: string) => ["*", ...(table.service(service)?.tables.map(({ caller }) => caller) ?? [])];
  const explanation = (caller: string, service: string) => explain(table, service, { caller, zone: null });
  return {
    "GET /v1/services": { ...stamp, services: names.map((name) => listService(table, name)) },
    "GET /v1/callers": { callers: [] },
    "GET /v1/routes": { ...stamp, routes: [...table.routeTables()].flatMap((one) => listRoutes(table, one)) },
    "GET /v1/distributions": {
      ...stamp,
      distributions: names.flatMap((name) => [...new Set(callers(name))].map((caller) => explanation(caller, name))),
    },
    "GET /v1/explain?caller=monolith&service=barker": { ...stamp, explanation: explanation("monolith", "barker") },
    ...Object.fromEntries(
      names.map((name) => [
        `GET /v1/services/${name}`,
        {
          ...stamp,
          service: listService(table, name),
          settings: table.service(name)?.service.settings,
          declared: false,
        },
      ]),
    ),
  };
}
