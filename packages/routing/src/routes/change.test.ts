import { expect, test } from "vitest";
import { routeAddBody, routeRemoveBody, routeSetBody } from "@datawire/api";
import { countSlots, type RouteTable } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { instance, routes, catalogOf } from "@datawire/catalog/testing";
import { addRoute, describeTable, expireRoutes, removeRoute, setRoutes, withoutGeneration } from "./change.ts";
import { requireMatchable } from "./checks.ts";
import type { RouteChange, RouteWorld } from "./world.ts";

const barker = [instance("barker@vm1(1)"), instance("barker@vm102(1)"), instance("barker@vm3(2.1)")];

function world(table: Catalog, callers: readonly string[] = []): RouteWorld {
  return {
    table,
    isKnownCaller: (name) => callers.includes(name),
    directories: ["services"],
    nowMs: 1_000,
    nextOrder: 7,
  };
}

/** Gives `dw route add SOURCE TARGET PERCENT` and applies what it says. */
function add(in_: RouteWorld, source: string, target: string, percent?: string, rest: object = {}): RouteChange {
  const change = addRoute(in_, routeAddBody.parse({ source, target, percent, ...rest }));
  apply(in_, change);
  return change;
}

function apply(in_: RouteWorld, change: RouteChange): void {
  (in_.table as Catalog).apply({
    services: [],
    instances: [],
    tables: change.after === null ? [] : [change.after],
    gone: { services: [], instances: [], tables: change.after === null ? [`${change.caller}>${change.service}`] : [] },
  });
}

const shown = ({ caller, service, after }: RouteChange): string => `${caller}>${service}: ${describeTable(after)}`;

test.each([
  ["//monolith", "//barker(2)", ["monolith"], "monolith>barker: //barker(2) 10%"],
  ["//*", "//barker(2)", [], "*>barker: //barker(2) 10%"],
  ["//barker", "//barker(2)", [], "*>barker: //barker(2) 10%"],
  ["//barker", "//barker@vm102", [], "*>barker: //barker@vm102 10%"],
  ["//barker", "//vm102", [], "*>barker: //barker@vm102 10%"],
  ["//services/barker", "//services/barker:2", [], "*>barker: //barker(2) 10%"],
  ["//shop", "//barker", [], "*>shop: //barker 10%"],
])("addRoute() %s %s reads SOURCE as the rules say", (source, target, callers, expected) => {
  const table = catalogOf([...barker, instance("shop@s1(1)")]);
  expect(shown(add(world(table, callers), source, target, "10%"))).toBe(expected);
});

test("addRoute() takes an unseen SOURCE for a caller where the target has a version, and says so", () => {
  const change = add(world(catalogOf(barker)), "//monolith", "//barker(2)", "10%");
  expect(shown(change)).toBe("monolith>barker: //barker(2) 10%");
  expect(change.notes).toEqual(["monolith is taken as a caller; no caller of that name was seen yet"]);
});

test.each([
  ["//nobody", "//barker", "10%", /neither a known caller nor a known service: say --caller or --service/],
  ["//shpo", "//barker", "10%", /nor a known service; did you mean \/\/shop\? Otherwise say --caller/],
  ["//shop", "//barker(2)", "10%", /shop is a caller and a service: say --caller .* or --service/],
  ["//barker", "//barker(9)", "10%", /no registered instance of barker matches; its versions: 1, 2.1 \(--ahead makes/],
  ["//barker", "//barker@vm9", "10%", /barker has no instance vm9; did you mean \/\/barker@vm1\?/],
  ["//*", "//quux(2)", "10%", /no service quux is registered; there are: barker, shop \(--ahead/],
  ["//web", "//baker", "10%", /no service baker is registered; did you mean \/\/barker\? \(--ahead/],
  ["//barker", "//barker(2)", "101%", /more than 100%/],
  ["//barker", "//barker(2)", undefined, /without a percentage/],
  ["//web", "//barker", "30%", /it has none; set one with dw service add \/\/barker --default URL/],
  ["//elsewhere/barker", "//barker(2)", "30%", /as SOURCE|none of the directories/],
])("addRoute() refuses %s %s %s", (source, target, percent, message) => {
  const in_ = world(catalogOf([...barker, instance("shop@s1(1)")]), ["shop", "web"]);
  expect(() => add(in_, source, target, percent)).toThrow(message);
});

test("addRoute() obeys the explicit forms", () => {
  const table = catalogOf([...barker, instance("shop@s1(1)")]);
  expect(shown(add(world(table, ["shop"]), "//shop", "//barker(2)", "10%", { reading: "caller" }))).toBe(
    "shop>barker: //barker(2) 10%",
  );
  expect(shown(add(world(table, ["shop"]), "//shop", "//barker(2)", "10%", { reading: "service" }))).toBe(
    "*>shop: //barker(2) 10%",
  );
});

test("addRoute() refuses the short form of an instance that is a service too", () => {
  const table = catalogOf([...barker, instance("vm102@x(1)")]);
  expect(() => add(world(table), "//barker", "//vm102", "10%")).toThrow(
    /vm102 is a service and an instance of barker; write \/\/barker@vm102/,
  );
});

test("addRoute() accepts a target that is not there yet only with --ahead", () => {
  expect(shown(add(world(catalogOf(barker)), "//barker", "//barker(9)", "5%", { ahead: true }))).toBe(
    "*>barker: //barker(9) 5%",
  );
});

test("addRoute() replaces the percentage of the same source and target, and keeps options that are not given", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "10%", { when: "header:X-Canary=1", sticky: "cookie:user" });
  expect(shown(add(in_, "//*", "//barker:2", "20%"))).toBe(
    "*>barker: //barker(2) 20% when header:X-Canary=1, sticky by cookie:user",
  );
  expect(shown(add(in_, "//*", "//barker:2", undefined, { when: null, sticky: null }))).toBe(
    "*>barker: //barker(2) 20%",
  );
});

test("addRoute() makes a condition without a percentage a 0% route", () => {
  expect(shown(add(world(catalogOf(barker)), "//barker", "//barker(2)", undefined, { when: "path:/beta" }))).toBe(
    "*>barker: //barker(2) 0% when path:/beta",
  );
});

test.each([
  ["cookie:a=b;c", /no request meets it: ; and , end/],
  ["cookie:a=b,c", /no request meets it/],
  ['cookie:a="b;c"', null],
  ["cookie:a=b&c", null],
  ["query:a=b&c", /no request meets it: & ; \? and # end/],
  ["query:a=b#c", /no request meets it/],
  ['query:a="b;c"', /no request meets it/],
  ["query:a=b=c,d", null],
  ["header:x=a;b,c&d", null],
  ["path:/a;b&c", null],
])("requireMatchable() of %s", (when, refusal) => {
  if (refusal === null) expect(() => requireMatchable(when)).not.toThrow();
  else expect(() => requireMatchable(when)).toThrow(refusal);
});

test("addRoute() refuses a sum over 100% and says what is allotted to whom", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "60%");
  expect(() => add(in_, "//barker", "//barker@vm102", "50%")).toThrow(
    "Cannot allot 110% of the requests to barker: wanted 100% at most; it would be //barker(2) 60%, //barker@vm102 50%",
  );
});

test("addRoute() says which shares a caller's first route hides", () => {
  const in_ = world(catalogOf(barker), ["monolith"]);
  add(in_, "//*", "//barker(2)", "50%");
  expect(add(in_, "//monolith", "//barker(2)", "10%").notes).toEqual([
    "the routes of monolith to barker now replace those for any caller: //barker(2) 50%",
  ]);
  expect(add(in_, "//monolith", "//barker@vm102", "10%").notes).toEqual([]);
});

test("addRoute() gives a share exactly its slots, and takes them from the primary alone", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "10%");
  const before = add(in_, "//barker", "//barker@vm102", "0.01%").after as RouteTable;
  const after = add(in_, "//barker", "//barker(2)", "33.33%").after as RouteTable;
  expect(after.routes.map(({ slots }) => countSlots(slots))).toEqual([3_333, 1]);
  expect(after.routes[1]?.slots).toEqual(before.routes[1]?.slots);
});

test("addRoute() refuses chains, cycles and a mix of http and tcp between services", () => {
  const services = [{ name: "db", primary: "1", protocol: "tcp" as const }];
  const table = catalogOf([instance("a@1(1)"), instance("b@1(1)"), instance("c@1(1)"), instance("db@1(1)")], {
    services,
  });
  const in_ = world(table);
  add(in_, "//a", "//b", "10%");
  expect(() => add(in_, "//b", "//a", "10%")).toThrow(/would be a cycle/);
  expect(() => add(in_, "//b", "//c", "10%")).toThrow(/one level deep/);
  expect(() => add(in_, "//c", "//a", "10%")).toThrow(/a sends a share on to b/);
  expect(() => add(in_, "//c", "//db", "10%")).toThrow(/c speaks http and db speaks tcp/);
});

test("addRoute() --for keeps what comes back, and reserves room for it", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "60%");
  const { after } = add(in_, "//barker", "//barker(2)", "10%", { for: "2h" });
  expect(after?.routes[0]?.expiry).toEqual({ atMs: 7_201_000, before: { share: 6_000, when: null } });
  expect(() => add(in_, "//barker", "//barker@vm102", "50%")).toThrow(/\/\/barker\(2\) 10% \(60% when it ends\)/);
});

test("expireRoutes() brings back what was before, or removes what was not", () => {
  const before = { share: 6_000, when: null };
  const list = [
    ["//barker(2)", 1_000, { expiry: { atMs: 500, before } }],
    ["//barker@vm1", 1_000, { expiry: { atMs: 500, before: null } }],
    ["//barker@vm102", 1_000, { expiry: { atMs: 501, before: null } }],
  ] as const;
  const table = routes("*", "barker", list);
  expect(expireRoutes(table, 499)).toBeNull();
  const result = expireRoutes(table, 500);
  expect(describeTable(result?.after ?? null)).toBe("//barker(2) 60%, //barker@vm102 10%");
  expect(result?.after?.routes.map(({ slots }) => countSlots(slots))).toEqual([6_000, 1_000]);
  expect(
    expireRoutes(routes("*", "barker", [["//barker(2)", 1, { expiry: { atMs: 1, before: null } }]]), 1)?.after,
  ).toBeNull();
});

test("setRoutes() sets several shares at once, so that a swap needs no detour", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "60%");
  add(in_, "//barker", "//barker@vm102", "40%");
  const set = (list: [string, string][]) =>
    setRoutes(
      in_,
      routeSetBody.parse({ source: "//barker", targets: list.map(([target, percent]) => ({ target, percent })) }),
    );
  expect(
    shown(
      set([
        ["//barker(2)", "40%"],
        ["//barker@vm102", "60%"],
      ]),
    ),
  ).toBe("*>barker: //barker(2) 40%, //barker@vm102 60%");
  expect(() =>
    set([
      ["//barker(2)", "40%"],
      ["//barker@vm102", "61%"],
    ]),
  ).toThrow(/Cannot allot 101%/);
  expect(() =>
    set([
      ["//barker(2)", "40%"],
      ["//barker:2", "1%"],
    ]),
  ).toThrow(/twice/);
});

test("removeRoute() takes one route, and the table with the last", () => {
  const in_ = world(catalogOf(barker));
  add(in_, "//barker", "//barker(2)", "60%");
  const remove = (target: string) => removeRoute(in_, routeRemoveBody.parse({ source: "//barker", target }));
  expect(() => remove("//barker@vm102")).toThrow(/there is none; its routes to barker: \/\/barker\(2\)/);
  expect(remove("//barker(2)").after).toBeNull();
});

test("withoutGeneration() drops the routes that a promotion makes needless", () => {
  const list = [
    ["//barker(2)", 1_000],
    ["//barker(2.1)", 500],
    ["//barker@vm1", 100],
  ] as const;
  expect(describeTable(withoutGeneration(routes("*", "barker", list), "barker", "2"))).toBe("//barker@vm1 1%");
  const crossing = routes("*", "shop", [
    ["//barker(2)", 1_000, { reading: "service" }],
    ["//barker", 500, { reading: "service" }],
  ]);
  expect(describeTable(withoutGeneration(crossing, "barker", "2"))).toBe("//barker 15%");
  const other = routes("*", "barker", [["//barker(3)", 1]]);
  expect(withoutGeneration(other, "barker", "2")).toBe(other);
});
