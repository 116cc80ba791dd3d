import { expect, test } from "vitest";
import { listRoutes, listService } from "./listing.ts";
import { instance, routes, catalogOf } from "@datawire/catalog/testing";

test("listService() shows state, role and reason of every instance", () => {
  const table = catalogOf(
    [
      instance("barker@a(1)"),
      instance("barker@b(2)"),
      instance("barker@c(3)", { state: "down", reason: "503", since: 1_000 }),
    ],
    { tables: [routes("*", "barker", [["//barker(3)", 100]])] },
  );
  expect(listService(table, "barker")).toMatchObject({
    service: "barker",
    protocol: "http",
    primary: "1",
    status: "live",
    reason: null,
    instances: [
      { name: "a", role: "primary", reason: null },
      { name: "b", role: "held", reason: "held: version 2 is not the primary, and no route names it" },
      { name: "c", role: "routed", state: "down", reason: "503", since: "1970-01-01T00:00:01.000Z" },
    ],
  });
});

test.each([
  ["live", "live", "live"],
  ["down", "live", "degraded"],
  ["down", "down", "down"],
] as const)("listService() with the primary %s and the other %s is %s", (first, second, status) => {
  const table = catalogOf([instance("barker@a(1)", { state: first }), instance("barker@b(2)", { state: second })]);
  expect(listService(table, "barker")?.status).toBe(status);
});

test("listService() says that the default URL helps out", () => {
  const services = [{ name: "barker", settings: { defaultUrl: "http://old.example.com" } }] as never;
  expect(listService(catalogOf([], { services }), "barker")).toMatchObject({
    status: "degraded",
    reason: "no instance was ever registered; the default URL takes its requests",
  });
});

test("listService() calls a service of messages live that has never had an instance: they wait at its address", () => {
  const services = [{ name: "microchat", primary: null, protocol: "amqp", declared: true }] as never;
  expect(listService(catalogOf([], { services }), "microchat")).toMatchObject({
    status: "live",
    reason: "no instance was ever registered; messages for it wait at its address",
  });
});

test("listService() calls a service degraded whose requests another service answers", () => {
  const tables = [routes("*", "monolith", [["//barker", 3_000, { reading: "service" }]])];
  const instances = [instance("monolith@m(1)", { state: "down" }), instance("barker@a(1)")];
  expect(listService(catalogOf(instances, { tables }), "monolith")?.status).toBe("degraded");
  expect(listService(catalogOf(instances), "monolith")?.status).toBe("down");
});

test("listRoutes() shows a route whose target nothing matches as waiting", () => {
  const list = [
    ["//barker(1)", 1_050, { when: "path:/beta" }],
    ["//barker(9)", 1, { expiry: { atMs: 1_000, before: null } }],
  ] as const;
  const tables = [routes("monolith", "barker", list, "cookie:user")];
  const table = catalogOf([instance("barker@a(1)")], { tables });
  expect(tables.flatMap((one) => listRoutes(table, one))).toEqual([
    {
      caller: "monolith",
      service: "barker",
      target: "//barker(1)",
      percent: 10.5,
      status: "active",
      reading: "caller",
      when: "path:/beta",
      sticky: "cookie:user",
      expires: null,
    },
    expect.objectContaining({
      target: "//barker(9)",
      percent: 0.01,
      status: "waiting",
      expires: "1970-01-01T00:00:01.000Z",
    }),
  ]);
});
