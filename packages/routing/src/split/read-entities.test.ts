import { expect, test } from "vitest";
import {
  ProtocolError,
  readEntities,
  readInstance,
  readRegistration,
  readRouteTable,
  readService,
  type RouteTable,
  subjectOf,
} from "@datawire/protocol";
import { splitTraffic } from "./traffic-split.ts";
import { explain } from "./explain.ts";
import { listRoutes, listService } from "./listing.ts";
import { Catalog } from "@datawire/catalog";
import { instance, routes } from "@datawire/catalog/testing";
import fc from "@datawire/protocol/testing/random";

const table = (route: object = {}, rest: object = {}): unknown => {
  const good = routes("m", "barker", [["//barker(2)", 1_000]]);
  return { ...good, routes: good.routes.map((one) => ({ ...one, ...route })), ...rest };
};
const two = (
  first: readonly (readonly [number, number])[],
  second: readonly (readonly [number, number])[],
): unknown => {
  const sum = (slots: readonly (readonly [number, number])[]): number => slots.reduce((all, [a, b]) => all + b - a, 0);
  const [one, other] = routes("m", "barker", [
    ["//barker(2)", 10],
    ["//barker(3)", 10],
  ]).routes;
  const both = [
    { ...one, slots: first, share: sum(first) },
    { ...other, slots: second, share: sum(second) },
  ];
  return table({}, { routes: both });
};

test.each<[string, unknown, RegExp]>([
  ["a target that is no address", table({ target: "garbage" }), /the routes of m to barker: .*"garbage"/],
  ["a target with a line feed", table({ target: "//bad@x\n server evil" }), /must be 1 to 100/],
  ["a target that is written in another way", table({ target: "//barker:2" }), /not in its canonical form/],
  ["a condition", table({ when: "nonsense" }), /"nonsense" as --when/],
  ["the condition that comes back", table({ expiry: { atMs: 1, before: { share: 1, when: "x" } } }), /"x" as --when/],
  ["a key to stick by", table({}, { sticky: "moon" }), /"moon" as --sticky/],
  ["slots the wrong way round", table({ slots: [[9, 1]] }), /slots of .* not ascending/],
  [
    "slots that overlap",
    table({
      slots: [
        [0, 600],
        [500, 900],
      ],
    }),
    /not ascending/,
  ],
  [
    "an empty range of slots",
    table({
      slots: [
        [0, 0],
        [0, 1_000],
      ],
    }),
    /not ascending/,
  ],
  ["fewer slots than its share", table({ slots: [[0, 999]] }), /has 999 slots, and its share is 1000/],
  ["more slots than there are", table({ slots: [[0, 10_001]] }), /routes.0.slots.0.1: /],
  ["slots that another target has", two([[0, 10]], [[9, 19]]), /two of its targets have the same slots/],
  [
    "a target twice",
    table({}, { routes: [...(table() as RouteTable).routes, ...(table() as RouteTable).routes] }),
    /twice/,
  ],
  ["no routes", table({}, { routes: [] }), /routes: /],
  ["a caller that is no name", table({}, { caller: "../m" }), /caller: /],
  ["an end that no date can be", table({ expiry: { atMs: 1e300, before: null } }), /atMs: /],
  ["a place from which nothing can be counted on", table({ order: Number.MAX_SAFE_INTEGER }), /order: /],
  ["nothing", null, /Cannot read a route table/],
])("readRouteTable() refuses %s", (_, value, reason) => {
  expect(() => readRouteTable(value)).toThrow(reason);
  expect(() => readRouteTable(value)).toThrow(ProtocolError);
});

test.each([
  ["one share", table()],
  [
    "two shares that touch",
    two(
      [
        [0, 10],
        [20, 30],
      ],
      [[10, 20]],
    ),
  ],
  ["a share of nothing", table({ share: 0, slots: [] })],
])("readRouteTable() reads %s", (_, value) => {
  expect(readRouteTable(value)).toEqual(value);
});

test.each<[string, object, RegExp]>([
  ["a URL that is none", { url: "garbage" }, /instance barker@a: .*"garbage"/],
  ["a URL of another protocol", { url: "tcp://h:1" }, /protocol http/],
  ["a URL that would end a line", { url: "http://h:1/\n server evil" }, /as the URL of an instance/],
  ["a moment that is none", { since: 1e300 }, /since: /],
  ["a name", { name: "a b" }, /name: /],
])("readInstance() refuses %s", (_, fields, reason) => {
  expect(() => readInstance({ ...instance("barker@a"), ...fields })).toThrow(reason);
});

test("readRegistration() reads what a Watson may say, and no `lost`", () => {
  const said = { service: "barker", name: "a", url: "http://h:1", state: "live" };
  expect(readRegistration(said)).toMatchObject({ ...said, weight: 100 });
  expect(() => readRegistration({ ...said, state: "lost" })).toThrow(/state: /);
  expect(() => readRegistration({ ...said, url: "x" })).toThrow(/barker@a/);
});

test.each<[string, object, RegExp]>([
  ["a primary that no generation is", { primary: "1.4" }, /"1.4" as a primary/],
  ["a primary that is no version", { primary: "a b" }, /"a b" as a version/],
  ["a policy", { settings: { balance: "by-the-moon" } }, /"by-the-moon" as balance/],
  ["a default URL", { settings: { defaultUrl: "ftp://h" } }, /"ftp:\/\/h"/],
])("readService() refuses %s", (_, fields, reason) => {
  expect(() => readService({ name: "barker", ...fields })).toThrow(reason);
});

test.each(["http://h:1/base", "tcp://h:1"])(
  "readService() takes the default URL %s, whatever instances speak by then",
  (defaultUrl) => {
    expect(readService({ name: "barker", protocol: "http", settings: { defaultUrl } }).settings.defaultUrl).toBe(
      defaultUrl,
    );
  },
);

test("readEntities() leaves out each entity that it cannot read, and says which", () => {
  const good = instance("barker@a");
  const read = readEntities({
    services: [{ name: "barker" }, { name: "constructor", primary: "x y" }, { name: "Barker" }, null],
    instances: [good, { ...good, name: "b", url: "x" }, 7],
    tables: [table(), table({ target: "garbage" }), { caller: "*", service: "barker" }],
  });
  expect(read).toMatchObject({ services: [{ name: "barker" }], instances: [good], tables: [{ caller: "m" }] });
  expect(read.leftOut.map((one) => [one.kind, one.key, subjectOf(one)])).toEqual([
    ["service", "constructor", "//constructor"],
    ["service", null, "a service without a name"],
    ["service", null, "a service without a name"],
    ["instance", "barker@b", "//barker@b"],
    ["instance", null, "an instance without a name"],
    ["table", "m>barker", "//barker"],
    ["table", "*>barker", "//barker"],
  ]);
});

/** Small pieces of what entities are made of, right and wrong. */
const word = fc.constantFrom("a", "b", "__proto__", "constructor", "x y", "", "*", "é");
const text = fc.constantFrom(
  "//a",
  "//a(1)",
  "//a@i",
  "//b(1.2)",
  "//__proto__(1)",
  "//a:1",
  "garbage",
  "header:x=1",
  "path:/",
  "ip",
  "",
);
const number = fc.constantFrom(-1, 0, 1, 10, 9_999, 10_000, 10_001, 1e300, Number.MAX_SAFE_INTEGER);
const url = fc.constantFrom("http://h:1", "https://h/a", "tcp://h:1", "http://h:0", "x", "http://[::1]:2");
const anyRoute = fc.record({
  target: text,
  share: number,
  slots: fc.array(fc.tuple(number, number), { maxLength: 2 }),
  when: fc.option(text),
  reading: fc.constantFrom("caller", "service"),
  order: number,
});
const anyEntities = fc.record({
  services: fc.array(
    fc.record({
      name: word,
      protocol: fc.constantFrom("http", "tcp"),
      primary: fc.option(word),
      settings: fc.record({ defaultUrl: fc.option(url), failover: fc.constantFrom("any", "none") }),
    }),
    { maxLength: 3 },
  ),
  instances: fc.array(
    fc.record({
      service: word,
      name: word,
      version: fc.option(fc.constantFrom("1", "1.2", "2", "b")),
      url,
      state: fc.constantFrom("live", "down", "lost"),
      since: number,
      order: number,
      weight: number,
    }),
    { maxLength: 4 },
  ),
  tables: fc.array(
    fc.record({ caller: word, service: word, sticky: fc.option(text), routes: fc.array(anyRoute, { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
});

test("no rule throws at what readEntities() has read", () => {
  fc.assert(
    fc.property(anyEntities, (entities) => {
      const { leftOut, ...read } = readEntities(entities);
      const made = new Catalog();
      made.apply({ ...read, gone: { services: [], instances: [], tables: [] } });
      made.hash();
      for (const name of made.serviceNames()) {
        for (const caller of ["*", "a", "constructor"]) {
          splitTraffic(made, name, { caller, zone: null });
          explain(made, name, { caller, zone: null }, { path: "/x?y=1" });
        }
        listService(made, name);
      }
      for (const one of made.routeTables()) listRoutes(made, one);
      for (const one of leftOut) subjectOf(one);
    }),
  );
});
