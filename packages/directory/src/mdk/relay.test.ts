import { Catalog } from "@datawire/catalog";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { momentOf } from "../model/moment.ts";
import { originalsInMemory } from "../testing/originals-in-memory.ts";
import { registration, shown } from "../testing/worlds.ts";
import { Relay } from "./relay.ts";
import type { World } from "./world.ts";

const H1 = "http://127.0.0.1:1";

test("a node is trusted for its own ttl since its last word, connected or not", async () => {
  const world = originalsInMemory();
  const long = world.connect();
  long.active("hello", H1, {}, 40);
  const short = world.connect();
  short.active("hello", "http://127.0.0.1:2", {}, 5);
  await world.pass(4_000);
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 live, 127.0.0.1-2 live");
  await world.pass(3_000);
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 live");
  await world.pass(13_000);
  long.active("hello", H1, {}, 40);
  await world.pass(30_000);
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 live");
  long.session.closed();
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 lost");
  await world.pass(9_000);
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 lost");
  await world.pass(2_000);
  expect(shown(world.state, "hello")).toBe("");
});

test("an original is told what changes, its own too, and nothing where only a ttl was renewed", async () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open();
  original.active("hello", H1);
  original.active("hello", H1);
  world.flush();
  expect(original.told()).toEqual(["active hello@127.0.0.1-1(1.0)"]);
  original.active("hello", H1, { version: "1.1" });
  original.active("hello", H1, { version: "1.1", properties: { a: 1 } });
  original.expire("hello", H1);
  world.flush();
  expect(original.told().slice(1)).toEqual([
    "active hello@127.0.0.1-1(1.1)",
    "active hello@127.0.0.1-1(1.1)",
    "expire hello@127.0.0.1-1",
  ]);
});

test("what is seen to have ended only as the first original comes is told to it", () => {
  const clock = createFakeClock();
  const relay = new Relay({ clock, environment: "sandbox", open: () => Promise.reject(new Error()), failed() {} });
  const ended: [key: string, atMs: number][] = [];
  const world: World = {
    environment: "sandbox",
    table: new Catalog(),
    leaseMs: 9_000,
    follow() {
      // Whoever begins to follow has what is on its way published first.
      ended.push(["barker@b", clock.monotonicMs()]);
      return () => {};
    },
    hold: () => null,
    lose() {},
    release() {},
  };
  relay.follow(world, () => ended);
  const told = [...relay.announcements.whole(() => clock.monotonicMs())];
  expect(told.map((frame) => JSON.parse(frame) as unknown)).toMatchObject([{ type: "expire", node: { id: "b" } }]);
  relay.close();
});

test("what ended while an original was away is told after what is there, for an hour", async () => {
  const world = originalsInMemory();
  world.watson("vm1", "barker@a:1", "barker@b:1", "barker@c:1");
  await world.pass(1_000);
  world.watson("vm1", "barker@a:1");
  const first = world.connect();
  first.open();
  expect(first.told()).toEqual(["active barker@a(1)", "expire barker@b", "expire barker@c"]);
  world.watson("vm1", "barker@a:1", "barker@b:1");
  const second = world.connect();
  second.open();
  expect(second.told()).toEqual(["active barker@a(1)", "active barker@b(1)", "expire barker@c"]);
  await world.pass(3_601_000);
  const third = world.connect();
  third.open();
  expect(third.told()).toEqual(["active barker@a(1)", "active barker@b(1)"]);
});

test("a process at another's address replaces it, and ends with it no more than its own", () => {
  const world = originalsInMemory();
  const first = world.connect();
  first.active("hello", H1, { id: "one", properties: { datawire_nodeId: "one" } });
  const second = world.connect();
  second.active("hello", H1, { id: "two", version: "2.0", properties: { datawire_nodeId: "two" } });
  expect(world.state.table.instance("hello@127.0.0.1-1")).toMatchObject({ version: "2.0", state: "live" });
  first.expire("hello", H1);
  first.session.closed();
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 live");
  second.session.closed();
  expect(shown(world.state, "hello")).toBe("127.0.0.1-1 lost");
});

test("a node takes nothing from a Watson that is connected, and what a lost one held", async () => {
  const world = originalsInMemory();
  const named = { name: "h-1", url: "http://h:1" };
  world.state.registry.attach({ id: "watson-1", name: "vm1", version: "1" }, momentOf(world.clock));
  const said = { service: "hello", version: "1", protocol: "http", weight: 100, zone: null, tags: [], reason: null };
  const whole = { ...said, ...named, state: "live", proxyPort: null, drainMs: 10_000, tls: null, cause: null } as never;
  world.state.registry.register("watson-1", [whole], { moment: momentOf(world.clock), local: true });
  const original = world.connect();
  original.active("hello", "http://h:1", { version: "2.0" });
  expect(world.state.table.instance("hello@h-1")).toMatchObject({ version: "1" });
  expect(original.session.report().leftOut).toMatchObject([
    { service: "hello", address: "http://h:1", message: expect.stringContaining("the Watson on vm1 holds") },
  ]);
  world.state.registry.detach("watson-1", momentOf(world.clock));
  original.active("hello", "http://h:1", { version: "2.0" });
  expect(world.state.table.instance("hello@h-1")).toMatchObject({ version: "2.0", state: "live" });
  expect(original.session.report().leftOut).toEqual([]);
});

test("a Watson takes over what an original has registered under the same name, and keeps it", async () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open();
  original.active("hello", "http://h:1", {}, 5);
  const named = registration("hello@h-1:2", { url: "http://h:1" });
  const moment = momentOf(world.clock);
  world.state.registry.attach({ id: "watson-1", name: "vm1", version: "1" }, moment);
  expect(world.state.registry.register("watson-1", [named], { moment, local: true })).toEqual([]);
  world.flush();
  original.active("hello", "http://h:1");
  expect(original.session.report().leftOut).toMatchObject([{ message: expect.stringContaining("the Watson on vm1") }]);
  original.expire("hello", "http://h:1");
  original.session.closed();
  await world.pass(10_000);
  expect(world.state.table.instance("hello@h-1")).toMatchObject({ version: "2", state: "live" });
  expect(original.told()).toEqual(["active hello@h-1(1.0)", "active hello@h-1(2)", "active hello@h-1(2)"]);
});

test("a node at an address of its own machine alone is left out where its original is on another one", () => {
  const world = originalsInMemory();
  const original = world.connect({ local: false });
  original.active("hello", H1);
  original.active("hello", "http://h:1");
  expect(shown(world.state, "hello")).toBe("h-1 live");
  expect(original.session.report().leftOut).toMatchObject([
    { address: H1, message: expect.stringContaining("can only be reached on its own machine") },
  ]);
});

test("a node that is no instance is told of to originals alone, for its ttl", async () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open();
  original.active("My Service", "random_1", { version: null }, 5);
  const node = { id: "n1", service: "My Service", version: "0", address: "random_1" };
  expect(original.frames.at(-1)).toMatchObject({ type: "active", node });
  expect([...world.state.table.serviceNames()]).toEqual([]);
  expect(world.relay.relayed()).toMatchObject([{ service: "My Service" }]);
  original.session.closed();
  const later = world.connect();
  later.open();
  expect(later.told()).toEqual(["active My Service@n1(0)"]);
  await world.pass(6_000);
  expect(later.told()).toEqual(["active My Service@n1(0)", "expire My Service@n1"]);
  expect(world.relay.relayed()).toEqual([]);
});

test("a node that no original could take in is dropped and counted", () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open();
  original.active("My Service", "random_1", { id: "" });
  original.active("My Service", "random_1", { id: null });
  original.active("", "http://h:1");
  original.active("hello", "");
  expect(world.dropped()).toBe(4);
  expect(original.told()).toEqual([]);
});

test("every node that goes out has an id, a service, a version and an address", () => {
  const world = originalsInMemory();
  world.watson("vm1", "barker@a");
  const original = world.connect();
  original.active("hello", H1, { id: null, version: null, properties: null });
  original.active("My Service", "random_1", { version: "" });
  original.open();
  expect(original.told()).toEqual(["active barker@a(0)", "active hello@127.0.0.1-1(0)", "active My Service@n1(0)"]);
});

test("one process has no more than 1,000 nodes that are no instances", () => {
  const world = originalsInMemory();
  const original = world.connect();
  for (let i = 0; i < 1_001; i++) original.active("My Service", "x", { id: `n${i}` });
  expect(world.relay.relayed()).toHaveLength(1_000);
  expect(original.session.report().leftOut).toMatchObject([{ message: expect.stringContaining("1000 nodes") }]);
});

test("the guard holds the nodes of many originals that are gone at once", async () => {
  const world = originalsInMemory({ share: 0.5, minimum: 10 });
  const gone = Array.from({ length: 20 }, (_, i) => {
    const original = world.connect();
    original.active("hello", `http://h${i}:1`, {}, 5);
    return original;
  });
  for (const { session } of gone) session.closed();
  await world.pass(10_000);
  expect(shown(world.state, "hello").split(", ")).toHaveLength(20);
  world.state.registry.guard.release();
  await world.pass(1_000);
  expect(shown(world.state, "hello")).toBe("");
});

test("a route on some of the primary's version takes these from originals, and its end brings them back", async () => {
  const world = originalsInMemory();
  world.watson("vm1", "barker@a:1.1", "barker@b:1.2");
  const original = world.connect();
  original.open();
  const route = { target: "//barker(1.2)", share: 0, slots: [], when: null, reading: "caller", order: 0, expiry: null };
  const value = { caller: "m", service: "barker", sticky: null, routes: [route] } as never;
  world.state.set({ kind: "table", id: "m>barker", value }, momentOf(world.clock));
  world.flush();
  world.state.set({ kind: "table", id: "m>barker", value: null }, momentOf(world.clock));
  world.flush();
  expect(original.told()).toEqual([
    "active barker@a(1.1)",
    "active barker@b(1.2)",
    "expire barker@b",
    "active barker@b(1.2)",
  ]);
});

test("an instance that is down or drained is expired, and told of again when it is back", () => {
  const world = originalsInMemory();
  world.watson("vm1", "barker@a:1");
  const original = world.connect();
  original.open();
  const drain = { key: "barker@a", atMs: 1, who: "ann" };
  world.state.set({ kind: "drain", id: "barker@a", value: drain }, momentOf(world.clock));
  world.flush();
  world.state.set({ kind: "drain", id: "barker@a", value: null }, momentOf(world.clock));
  world.flush();
  expect(original.told()).toEqual(["active barker@a(1)", "expire barker@a", "active barker@a(1)"]);
});
