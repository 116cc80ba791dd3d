import { encodeMessage } from "@datawire/amqp";
import { catalogOf, instance as testInstance, routes } from "@datawire/catalog/testing";
import { emptyChange, type Instance, type RouteTable, type Service } from "@datawire/protocol";
import { expect, test } from "vitest";
import type { Seat } from "../engine/allotment.ts";
import type { Member } from "../engine/ports.ts";
import { AddressAllotment } from "./address-allotment.ts";

interface AllottedOptions {
  readonly tables?: readonly RouteTable[];
  readonly settings?: object;
  readonly instances?: Parameters<typeof catalogOf>[0];
}

/** Consumers `name(version)` of `orders`, each with credit until a test takes it. */
function allotted(
  consumers: readonly string[],
  { tables = [], settings = {}, instances = [] }: AllottedOptions = {},
  name = "orders",
) {
  const service = { name: "orders", primary: "1", protocol: "amqp", settings } as Partial<Service> & { name: string };
  let nowMs = 0;
  let revision = 0;
  const table = catalogOf(instances, { services: [service], tables });
  const without = new Set<string>();
  const reconsidered: number[] = [];
  const told: string[] = [];
  const allotment = new AddressAllotment(
    name,
    { service: "orders", path: name.slice("orders".length) },
    {
      table,
      nowMs: () => nowMs,
      revision: () => revision,
      reconsider: () => void reconsidered.push(nowMs),
      isHere: (host) => host === "vm101",
      joined() {},
      left() {},
      settled: (_, { instance, version }) => void told.push(`${instance}(${version})`),
    },
  );
  const seats = new Map<string, Seat>();
  for (const text of consumers) {
    const [, instance = "", version] = /^([^(]+)(?:\((.*)\))?$/.exec(text) ?? [];
    const member: Member | null = text === "plain" || text === "local" ? null : { instance, version: version ?? null };
    seats.set(
      instance,
      allotment.join(member, {
        wants: () => !without.has(instance),
        unsettled: instance.length,
        isLocal: text === "local",
      }),
    );
  }
  const takers = (sequence: number, message: Parameters<typeof encodeMessage>[0] = NOTHING): string[] =>
    [...seats].filter(([, seat]) => seat.mayTake({ sequence, payload: encodeMessage(message) })).map(([one]) => one);
  /** Who may take how many of so many messages. */
  const counts = (count: number, message?: Parameters<typeof encodeMessage>[0]): Record<string, number> => {
    const found: Record<string, number> = {};
    for (let sequence = 1; sequence <= count; sequence++) {
      const key = takers(sequence, message).join("+");
      found[key] = (found[key] ?? 0) + 1;
    }
    return found;
  };
  return {
    allotment,
    seats,
    takers,
    counts,
    without,
    reconsidered,
    told,
    advance: (ms: number) => void (nowMs += ms),
    change(next: RouteTable): void {
      table.apply({ ...emptyChange(), tables: [next] });
      revision++;
    },
  };
}

const NOTHING = { body: { type: "value", value: null } } as const;
const withProperty = (name: string, value: string) => ({ ...NOTHING, applicationProperties: new Map([[name, value]]) });
const canary = routes("*", "orders", [["//orders(2)", 1_000]]);

test("AddressAllotment lets all of the primary have all, and looks at no message, where nothing is routed", () => {
  const { seats, counts } = allotted(["a(1)", "b(1.4)", "plain"]);
  expect([...seats.values()].map(({ isPicky, isServed }) => [isPicky, isServed])).toEqual(
    Array.from({ length: 3 }, () => [false, true]),
  );
  expect(counts(10)).toEqual({ "a+b+plain": 10 });
});

/** As Watson announces what a service file of a machine says. */
const ofFile = (name: string, version: string, more: Partial<Instance> = {}): Instance =>
  testInstance(`orders@${name}(${version})`, {
    url: "amqp://vm101:5672/orders",
    protocol: "amqp",
    via: "watson",
    ...more,
  });

test("AddressAllotment takes consumers of this machine that say nothing for the instance of its service file", () => {
  const { seats, counts, told } = allotted(["a(1)", "plain", "local"], { instances: [ofFile("one", "2")] });
  expect(seats.get("local")?.isServed).toBe(false);
  expect(counts(10)).toEqual({ "a+plain": 10 });
  seats.get("local")?.settled({ outcome: "accepted" });
  seats.get("plain")?.settled({ outcome: "accepted" });
  expect(told).toEqual(["one(2)"]);
  const shared = allotted(["a(1)", "local"], { instances: [ofFile("one", "2")], tables: [canary] });
  expect(shared.counts(10_000)).toEqual({ a: 9_000, local: 1_000 });
});

test.each([
  ["is of another machine", [ofFile("one", "2", { url: "amqp://vm102:5672/orders" })]],
  ["was registered by a router", [ofFile("one", "2", { via: "router" })]],
  ["is one of several", [ofFile("one", "2"), ofFile("two", "1")]],
  ["has no version", [ofFile("one", "2", { version: null })]],
])("AddressAllotment counts them to the primary where the instance %s", (_, instances) => {
  expect(allotted(["a(1)", "local"], { instances }).counts(10)).toEqual({ "a+local": 10 });
});

test("AddressAllotment gives nothing to those whose instance of a file is drained", () => {
  const { counts } = allotted(["a(1)", "local"], { instances: [ofFile("one", "1", { state: "draining" })] });
  expect(counts(10)).toEqual({ a: 10 });
});

test("AddressAllotment gives a held version nothing", () => {
  const { seats, counts } = allotted(["a(1)", "b(2)"]);
  expect(seats.get("b")?.isServed).toBe(false);
  expect(counts(10)).toEqual({ a: 10 });
});

test("AddressAllotment gives each target exactly its share, and a few messages nearly so", () => {
  const { counts } = allotted(["a(1)", "b(2)", "plain"], { tables: [canary] });
  expect(counts(10_000)).toEqual({ "a+plain": 9_000, b: 1_000 });
  const few = counts(100)["b"] ?? 0;
  expect(Math.abs(few - 10)).toBeLessThanOrEqual(1);
});

test("AddressAllotment has messages looked at again when the table changes, whoever asks first", () => {
  const { seats, counts, change, reconsidered } = allotted(["a(1)", "b(2)"], { tables: [canary] });
  expect(counts(10_000)["b"]).toBe(1_000);
  const before = reconsidered.length;
  change(routes("*", "orders", [["//orders(2)", 5_000]]));
  expect(seats.get("a")?.isServed).toBe(true);
  expect(reconsidered.length).toBe(before + 1);
  expect(counts(10_000)["b"]).toBe(5_000);
  expect(reconsidered.length).toBe(before + 1);
});

test("AddressAllotment lends the share of who has had no credit for a second, and never to a held version", () => {
  const { allotment, takers, seats, without, advance } = allotted(["a(1)", "b(2)", "c(3)"], { tables: [canary] });
  const ofB = Array.from({ length: 100 }, (_, i) => i + 1).find(
    (sequence) => takers(sequence).join() === "b",
  ) as number;
  without.add("b");
  advance(999);
  expect([allotment.tick(), takers(ofB)]).toEqual([false, ["b"]]);
  advance(1);
  expect([allotment.tick(), takers(ofB)]).toEqual([true, ["a"]]);
  without.delete("b");
  seats.get("b")?.moved();
  expect(takers(ofB)).toEqual(["b"]);
});

test("AddressAllotment waits for a second for a live instance that went, as it comes again when its link is made anew", () => {
  const { allotment, takers, seats, advance } = allotted(["a(1)", "b(2)"], {
    tables: [canary],
    instances: [testInstance("orders@a(1)"), testInstance("orders@b(2)")],
  });
  const ofB = Array.from({ length: 100 }, (_, i) => i + 1).find(
    (sequence) => takers(sequence).join() === "b",
  ) as number;
  advance(5_000);
  allotment.tick();
  seats.get("b")?.leave();
  const first = seats.get("a") as Seat;
  const taken = (): boolean => first.mayTake({ sequence: ofB, payload: encodeMessage(NOTHING) });
  expect(taken()).toBe(false);
  advance(999);
  expect([allotment.tick(), taken()]).toEqual([false, false]);
  advance(1);
  expect([allotment.tick(), taken()]).toEqual([true, true]);
  expect(allotment.tick()).toBe(false);
});

test.each([
  ["header:X-Canary=1", withProperty("x-canary", "1"), "orders"],
  ["path:/beta", NOTHING, "orders/beta/eu"],
])("AddressAllotment sends what meets --when %s to its target", (when, message, name) => {
  const table = routes("*", "orders", [["//orders(2)", 0, { when }]]);
  const { counts } = allotted(["a(1)", "b(2)"], { tables: [table] }, name);
  expect(counts(10, message)).toEqual({ b: 10 });
  expect(allotted(["a(1)", "b(2)"], { tables: [table] }).counts(10)).toEqual({ a: 10 });
});

test("AddressAllotment keeps a sticky value on one side, whatever the message", () => {
  const table = routes("*", "orders", [["//orders(2)", 5_000]], "header:X-User");
  const { counts } = allotted(["a(1)", "b(2)"], { tables: [table] });
  const sides = Array.from({ length: 50 }, (_, user) => Object.keys(counts(20, withProperty("X-User", `${user}`))));
  expect(sides.every((side) => side.length === 1)).toBe(true);
  expect(new Set(sides.flat())).toEqual(new Set(["a", "b"]));
});

test("AddressAllotment goes by the caller's own routes, where the sender is known", () => {
  const table = routes("monolith", "orders", [["//orders(2)", 10_000]]);
  const { allotment, takers } = allotted(["a(1)", "b(2)"], { tables: [table] });
  allotment.note(1, "monolith");
  allotment.note(2, "other");
  expect([takers(1), takers(2), takers(3)]).toEqual([["b"], ["a"], ["a"]]);
});

test.each([
  ["ordered", NOTHING, [["a"], ["a"]]],
  ["least-connections", NOTHING, [["a"], ["a"]]],
  ["consistent:address", NOTHING, [["bb"], ["bb"]]],
  [
    "round-robin",
    NOTHING,
    [
      ["a", "bb", "ccc"],
      ["a", "bb", "ccc"],
    ],
  ],
])("AddressAllotment balances by %s", (balance, message, expected) => {
  const { takers } = allotted(["a(1)", "bb(1)", "ccc(1)"], { settings: { balance } });
  expect([takers(1, message), takers(2, message)]).toEqual(expected);
});

test.each(["consistent:property:user", "consistent:subject", "consistent:group-id"])(
  "AddressAllotment keeps one key at one consumer by %s",
  (balance) => {
    const { counts } = allotted(["a(1)", "b(1)", "c(1)"], { settings: { balance } });
    const of = (key: string) => ({
      ...withProperty("user", key),
      properties: { subject: key, groupId: key },
    });
    const chosen = Array.from({ length: 30 }, (_, key) => Object.keys(counts(5, of(`key ${key}`))));
    expect(chosen.every((one) => one.length === 1)).toBe(true);
    expect(new Set(chosen.flat()).size).toBe(3);
  },
);
