import { fuzz, mutateJson } from "@datawire/protocol/testing/fuzz";
import { expect, test } from "vitest";
import { EVERYTHING } from "../access/grant.ts";
import { originalsInMemory } from "../testing/originals-in-memory.ts";
import { shown } from "../testing/worlds.ts";

test.each(["3.0.0", "1.9.9", "x"])(
  "MdkSession answers an original of version %s by close, and lets it be",
  async (version) => {
    const world = originalsInMemory();
    const original = world.connect();
    original.open({ version });
    expect(original.frames).toEqual([
      {
        type: "close",
        error: {
          code: "VERSION_MISMATCH",
          title: "Version mismatch",
          detail: `This directory speaks 2.0.0, not ${version}`,
          id: "n1",
        },
      },
    ]);
    original.active("hello", "http://h:1");
    expect([...world.state.table.serviceNames()]).toEqual([]);
    expect(original.closed()).toBeNull();
    await world.pass(15_000);
    expect(original.closed()).toBe(1008);
  },
);

test("MdkSession takes any minor version for its own", () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open({ version: "2.9.1" });
  expect(original.frames.map(({ type }) => type)).toEqual(["open", "clear"]);
});

test("MdkSession tells all anew to one that opens again, and counts what it cannot read", () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.active("hello", "http://h:1");
  original.open();
  original.open();
  original.say("no JSON");
  original.say({ type: "active" });
  original.say({ type: "later" });
  expect(original.frames.map(({ type }) => type)).toEqual(["open", "clear", "active", "open", "clear", "active"]);
  expect(world.dropped()).toBe(2);
  expect(original.closed()).toBeNull();
});

test("MdkSession leaves out what the token of its original may not register, and keeps the connection", () => {
  const world = originalsInMemory();
  const grant = { ...EVERYTHING, tokenId: "t1", role: "library", services: ["shop-*"] } as const;
  const original = world.connect({ grant });
  original.active("shop-api", "http://h:1");
  original.active("till", "http://h:2");
  original.active("till", "http://h:2");
  expect([...world.state.table.serviceNames()]).toEqual(["shop-api"]);
  expect(original.session.report().leftOut).toEqual([
    { service: "till", address: "http://h:2", environment: "sandbox", message: "its token may not register till" },
  ]);
  expect(original.closed()).toBeNull();
  original.expire("till", "http://h:2");
  expect(original.session.report().leftOut).toEqual([]);
});

test("MdkSession never cuts an original for being slow while it answers pings, and cuts one that answers none", async () => {
  const world = originalsInMemory();
  const slow = world.connect();
  slow.open();
  const gone = world.connect();
  gone.answers = false;
  gone.open();
  for (let second = 0; second < 120; second++) {
    await world.clock.advance(1_000);
    for (const one of [slow, gone]) if (one.closed() === null) one.session.tick(world.clock.monotonicMs());
  }
  expect(slow.closed()).toBeNull();
  expect(gone.closed()).toBe(1006);
});

test("MdkSession puts a node without an environment into that of its process", () => {
  const world = originalsInMemory();
  const original = world.connect();
  original.open({ environment: { name: "No Name", fallbackName: null } });
  original.active("hello", "http://h:1", { environment: null });
  expect([...world.state.table.serviceNames()]).toEqual([]);
  expect(world.relay.relayed()).toMatchObject([{ environment: { name: "No Name" } }]);
  expect(original.frames.at(-1)).toMatchObject({ node: { environment: { name: "No Name" } } });
});

const NODE = { id: "n1", service: "hello", version: "1.0", address: "http://h:1", properties: {}, environment: null };
const SAMPLES = [
  { type: "open", version: "2.0.0", nodeId: "n1", environment: { name: "sandbox", fallbackName: null } },
  { type: "active", node: NODE, ttl: 30 },
  { type: "active", node: { ...NODE, service: "My Service" }, ttl: 1 },
  { type: "expire", node: NODE },
  { type: "subscribe" },
  { type: "interactionevent", uuid: "u", node: "n", results: { a: 1 }, sequence: 0 },
  { type: "log", context: { traceId: "t" }, timestamp: 1, node: "n", level: "INFO", text: "x", sequence: 0 },
];

test("MdkSession goes on whatever originals say, and tells others nothing that would freeze them", async () => {
  let world = originalsInMemory();
  let follower = world.connect();
  follower.open();
  let talks = 0;
  await fuzz(
    { test: 500, soak: 200_000 },
    (chance) => Array.from({ length: 1 + chance.int(4) }, () => mutateJson(chance.pick(SAMPLES), chance)),
    async (frames) => {
      if (talks++ % 100 === 99) {
        world = originalsInMemory();
        follower = world.connect();
        follower.open();
      }
      const original = world.connect();
      for (const frame of frames) original.say(frame);
      world.flush();
      original.session.closed();
      await world.pass(1_000);
      shown(world.state, "hello");
      expect(original.closed()).not.toBe(1011);
      const bad = follower.frames.filter(
        ({ type, node }) =>
          ["active", "expire"].includes(type) &&
          [node?.id, node?.service, node?.version, node?.address].some(
            (part) => typeof part !== "string" || part === "",
          ),
      );
      expect(bad).toEqual([]);
    },
  );
});
