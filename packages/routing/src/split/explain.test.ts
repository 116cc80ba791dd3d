import { expect, test } from "vitest";
import { explain, ruleMatches } from "./explain.ts";
import { parseWhen } from "@datawire/protocol";
import { instance, routes, catalogOf } from "@datawire/catalog/testing";

test("explain() says why each of the others gets nothing", () => {
  const table = catalogOf(
    [
      instance("barker@a(1)"),
      instance("barker@b(1)", { state: "down", reason: "503 from GET /liveness_check, wanted 200-299" }),
      instance("barker@c(2)"),
      instance("barker@d(3)"),
      instance("barker@e(1)", { state: "draining" }),
    ],
    { tables: [routes("web", "barker", [["//barker(3)", 500]])] },
  );
  expect(explain(table, "barker", { caller: "monolith", zone: null })?.excluded).toEqual([
    { name: "b", reason: "down: 503 from GET /liveness_check, wanted 200-299" },
    { name: "c", reason: "held: version 2 is not the primary, and no route names it" },
    { name: "d", reason: "routed: a route names it, and this caller's routes give it nothing" },
    { name: "e", reason: "draining" },
  ]);
});

test("explain() gives the first registered instance everything where the balance is ordered", () => {
  const services = [{ name: "barker", primary: "1", settings: { balance: "ordered" } }] as never;
  const table = catalogOf([instance("barker@a(1)"), instance("barker@b(1)")], { services });
  expect(explain(table, "barker", { caller: "x", zone: null })).toMatchObject({
    shares: [{ instances: [{ name: "a", percent: 100 }] }],
    excluded: [{ name: "b", reason: "ordered: an instance that registered earlier takes all" }],
  });
});

test("explain() divides a target by the weights of its instances", () => {
  const table = catalogOf([instance("barker@a(1)", { weight: 100 }), instance("barker@b(1)", { weight: 50 })]);
  const { shares = [] } = explain(table, "barker", { caller: "x", zone: null }) ?? {};
  expect(shares[0]?.instances.map(({ percent }) => percent)).toEqual([66.666667, 33.333333]);
});

test("explain() follows the condition that a path meets", () => {
  const table = catalogOf([instance("barker@a(1)"), instance("barker@b(2)")], {
    tables: [routes("*", "barker", [["//barker(2)", 0, { when: "path:/beta" }]])],
  });
  const of = (path: string) => explain(table, "barker", { caller: "x", zone: null }, { path });
  expect(of("/beta/page")).toMatchObject({
    shares: [{ target: "//barker(2)", percent: 100, reason: "--when path:/beta" }],
    excluded: [{ name: "a", reason: "the request meets the condition of another target" }],
  });
  expect(of("/other")?.shares).toMatchObject([{ target: "//barker", percent: 100 }]);
});

test.each([
  ["path:/beta", { path: "/beta" }, true],
  ["path:/beta", { path: "/betatest?x" }, true],
  ["path:/beta", { path: "/alpha/beta" }, false],
  ["query:v=2", { path: "/x?a=1&v=2" }, true],
  ["query:v=2", { path: "/x?v=3&v=2" }, false],
  ["query:v=2", { path: "/x" }, false],
  ["header:X-Canary=1", { headers: { "x-canary": "1" } }, true],
  ["header:X-Canary=1", { headers: { "x-canary": "2" } }, false],
  ["cookie:Beta=yes", { cookies: { Beta: "yes" } }, true],
  ["cookie:Beta=yes", {}, false],
])("ruleMatches() %s on %j: %s", (when, request, expected) => {
  expect(ruleMatches({ when: parseWhen(when) }, request)).toBe(expected);
});

test("explain() says which instances of a target a more specific one has", () => {
  const instances = [instance("barker@a(1)"), instance("barker@b(2)"), instance("barker@c(2.1)")];
  const list = [
    ["//barker(2)", 1_000],
    ["//barker(2.1)", 500],
  ] as const;
  const table = catalogOf(instances, { tables: [routes("*", "barker", list)] });
  expect(explain(table, "barker", { caller: "x", zone: null })?.shares).toMatchObject([
    { target: "//barker(2)", reason: "a route for any caller, without the instances of //barker(2.1)" },
    { target: "//barker(2.1)", reason: "a route for any caller" },
    { target: "//barker" },
  ]);
});

test("explain() says where sessions live before any share is drawn, and which instances get no other requests", () => {
  const services = [{ name: "barker", primary: "1", settings: { balance: "cookie:SERVERID" } }] as never;
  const instances = [
    instance("barker@a(1)"),
    instance("barker@b(1)", { state: "draining" }),
    instance("barker@c(2)"),
    instance("barker@d(3)"),
    instance("barker@e(1)", { state: "down" }),
  ];
  const at = (share: number) =>
    explain(catalogOf(instances, { services, tables: [routes("*", "barker", [["//barker(2)", share]])] }), "barker", {
      caller: "x",
      zone: null,
    });
  const names = (share: number) => at(share)?.sessions?.instances.map(({ name }) => name);
  expect(at(1_000)?.sessions?.cookie).toBe("SERVERID");
  expect([names(1_000), names(0), names(10_000)]).toEqual([["c", "a", "b"], ["a", "b"], ["c"]]);
  expect(at(1_000)?.excluded[0]).toEqual({ name: "b", reason: "draining; keeps the sessions that it has" });
  expect(explain(catalogOf(instances), "barker", { caller: "x", zone: null })).not.toHaveProperty("sessions");
});
