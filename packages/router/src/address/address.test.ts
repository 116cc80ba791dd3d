import { expect, test } from "vitest";
import { parseMessageAddress } from "./address.ts";
import { comparePatterns, matchPattern, parsePattern } from "@datawire/protocol";
import { type AddressRule, AddressRules, DEFAULT_SETTINGS } from "./rules.ts";

const context = { isAuthority: (segment: string) => ["services", "localhost", "localhost:5672"].includes(segment) };
const parse = (text: string) => parseMessageAddress(text, context);

test.each([
  ["orders", "orders"],
  ["//orders", "orders"],
  ["//services/orders", "orders"],
  ["//localhost:5672/orders", "orders"],
  ["//orders/eu", "orders/eu"],
  ["//services/topic/chat/1", "topic/chat/1"],
  ["Orders:EU$1", "Orders:EU$1"],
  ["$temp/a", "$temp/a"],
])("parseMessageAddress() of %s is %s", (text, name) => {
  expect(parse(text)).toEqual({ name, instance: null, version: null, from: null });
});

test("parseMessageAddress() takes 255 bytes, and has the dead letters of them", () => {
  const long = ["a".repeat(84), "b".repeat(84), "c".repeat(85)].join("/");
  for (const before of ["", "dead/"]) {
    expect(parse(`${before}${long}`).name).toBe(`${before}${long}`);
    expect(() => parse(`${before}${long}d`)).toThrow("longer than 255 bytes");
  }
  expect(parseMessageAddress(`@acme/dead/${long}`, { ...context, isInner: true }).name).toHaveLength(266);
});

test("parseMessageAddress() reads instance, version and options", () => {
  expect(parse("//services/orders/eu@vm1(1.4)?from=-5")).toEqual({
    name: "orders/eu",
    instance: "vm1",
    version: "1.4",
    from: { at: "back", count: 5 },
  });
  expect(parse("t?from=first").from).toEqual({ at: "first" });
  expect(parse("t?from=17").from).toEqual({ at: "offset", offset: 17 });
  expect(parse("t?from=2026-11-30T03:00:00Z").from).toEqual({ at: "time", timeMs: Date.UTC(2026, 10, 30, 3) });
});

test.each([
  ["orders/eu", "orders/eu", null, null],
  ["@acme/orders", "@acme/orders", null, null],
  ["@acme/orders@vm1(2)", "@acme/orders", "vm1", "2"],
  ["orders(2)", "orders", null, "2"],
  ["$temp/1-0a", "$temp/1-0a", null, null],
])("parseMessageAddress() reads %s of another process", (text, name, instance, version) => {
  const read = parseMessageAddress(`${text}?from=first`, { ...context, isInner: true });
  expect(read).toEqual({ name, instance, version, from: { at: "first" } });
});

test.each([
  ["", "it is empty"],
  ["//", 'its segment "" is none'],
  ["a//b", 'its segment "" is none'],
  ["a/", 'its segment "" is none'],
  ["-a", 'its segment "-a" is none'],
  ["a b", 'its segment "a b" is none'],
  ["services/orders", '"services" is the name of a directory or router, and no address begins with one'],
  ["//services", '"services" is the name of a directory or router'],
  ["//services/services/a", '"services" is the name of a directory or router'],
  ["a@", 'its instance "" is none'],
  ["a(", "wanted //NAME"],
  ["a(x y)", "its version"],
  ["a?to=1", 'it has the option "to"'],
  ["a?from=x", 'from is "x"'],
  ["a?from=2026-13-01", 'from is "2026-13-01"'],
  ["a?from=1&from=2", "it has the option from twice"],
  ["a".repeat(256), "it is longer than 255 bytes"],
  ["é", 'its segment "é" is none'],
])("parseMessageAddress() refuses %j: %s", (text, why) => {
  expect(() => parse(text)).toThrow(why);
});

test.each([
  ["orders/**", "orders/eu/1", ["eu/1"]],
  ["orders/**", "orders", [""]],
  ["orders/**", "orders2", null],
  ["topic/*", "topic/a", ["a"]],
  ["topic/*", "topic/a/b", null],
  ["topic/*", "topic", null],
  ["*/eu/**", "orders/eu/1/2", ["orders", "1/2"]],
  ["orders", "orders", []],
  ["//orders", "orders", []],
  ["**", "a/b", ["a/b"]],
])("matchPattern() of %s and %s", (pattern, name, stars) => {
  expect(matchPattern(parsePattern(pattern), name)).toEqual(stars);
});

test.each(["a/**/b", "a*", "", "a//b", "x y"])("parsePattern() refuses %j", (text) => {
  expect(() => parsePattern(text)).toThrow(/it|its|\*/);
});

test("comparePatterns() lets the longest literal beginning decide", () => {
  const sorted = ["**", "orders/**", "orders/eu", "orders/*", "orders/eu/**", "*/x"]
    .map(parsePattern)
    .toSorted(comparePatterns);
  expect(sorted.map(({ text }) => text)).toEqual(["orders/eu", "orders/eu/**", "orders/*", "orders/**", "*/x", "**"]);
});

test("AddressRules.treat() goes by rule, capability and name, in this order", () => {
  const rule = (match: string, kind: AddressRule["kind"]): AddressRule => ({
    match: parsePattern(match),
    kind,
    settings: DEFAULT_SETTINGS,
  });
  const rules = new AddressRules([
    rule("legacy/**", "link"),
    rule("**", null),
    rule("legacy/old/**", "none"),
    rule("topic/q", "queue"),
  ]);
  const kind = (name: string, capability?: "queue" | "topic") => rules.treat(name, capability).kind;
  expect(kind("legacy/a")).toBe("link");
  expect(kind("legacy/old/a", "topic")).toBe("none");
  expect(kind("orders")).toBe("queue");
  expect(kind("orders", "topic")).toBe("topic");
  expect(kind("topic/q")).toBe("queue");
  expect(kind("topic/x")).toBe("topic");
  expect(kind("direct/x")).toBe("direct");
  expect(kind("queue/x")).toBe("queue");
});
