import { emptyChange, type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import { bucketsFor, Catalog } from "@datawire/catalog";
import { expect, test } from "vitest";
import { createState, registration, state } from "../testing/worlds.ts";
import { Stream, type Source } from "./stream.ts";
import { FilteredStream } from "./filtered-stream.ts";
import { DeltaLog } from "./delta-log.ts";
import { Snapshots } from "./snapshots.ts";

function createSource(limits = { revisionsMax: 100, bytesMax: 1_000_000 }) {
  const world = createState();
  const log = new DeltaLog("epoch-1", limits);
  const source: Source & { warming: boolean } = {
    log,
    snapshots: new Snapshots(world.table, log),
    table: world.table,
    warming: false,
  };
  const publish = (): void => {
    for (const change of world.writer.take()?.changes ?? []) log.append(change, { atMs: 1, hash: world.table.hash() });
  };
  const set = (...names: string[]): void => {
    state(world, "vm1", names);
    publish();
  };
  return { world, log, source, publish, set };
}

/** Reads all that a feed has, as a subscriber would, into a table. */
function drain(feed: Pick<Stream, "next">, table = new Catalog()): { messages: ServerMessage[]; table: Catalog } {
  const messages: ServerMessage[] = [];
  for (let frame = feed.next(); frame !== null; frame = feed.next()) {
    const message = serverMessageSchema.parse(JSON.parse(new TextDecoder().decode(frame)));
    messages.push(message);
    if (message.type === "snapshot") table.apply({ ...message, gone: { services: [], instances: [], tables: [] } });
    if (message.type === "delta") table.apply(message.change);
  }
  return { messages, table };
}

const wish = { services: ["barker"], have: null, nowMs: 0 };
const types = (messages: readonly ServerMessage[]): string => messages.map(({ type }) => type).join(" ");

test("next() gives a snapshot, then a delta for every revision", () => {
  const { source, set, world } = createSource();
  set("barker@a");
  const feed = new Stream(source, null, 0);
  const { messages, table } = drain(feed);
  expect(types(messages)).toBe("snapshot");
  set("barker@a", "barker@b");
  set("barker@b");
  expect(types(drain(feed, table).messages)).toBe("delta delta");
  expect(table.snapshot()).toEqual(world.table.snapshot());
  expect(feed.revision).toBe(3);
});

test("next() gives a subscriber that returns what it missed, and one that missed nothing an empty delta", () => {
  const { source, set } = createSource();
  set("barker@a");
  set("barker@b");
  const missedOne = drain(new Stream(source, { epoch: "epoch-1", revision: 1 }, 0)).messages;
  expect(missedOne).toMatchObject([{ type: "warm" }, { type: "delta", from: 1, revision: 2 }]);
  const missedNone = drain(new Stream(source, { epoch: "epoch-1", revision: 2 }, 0)).messages;
  expect(missedNone[0]).toMatchObject({ type: "delta", from: 2, revision: 2, change: { instances: [] } });
});

test("next() gives nothing but a new position to a subscriber of another life that has this very table", () => {
  const { source, set, world } = createSource();
  source.warming = true;
  set("barker@a");
  const have = { epoch: "epoch-0", revision: 70, hash: world.table.hash() };
  const feed = new Stream(source, have, 5);
  expect(drain(feed).messages).toMatchObject([
    { type: "delta", epoch: "epoch-1", from: 1, revision: 1, atMs: 5, hash: have.hash, change: { instances: [] } },
  ]);
  set("barker@a", "barker@b");
  expect(types(drain(feed).messages)).toBe("delta");
});

test("next() goes on from where the table last was what a subscriber of another life has", () => {
  const { source, set, world } = createSource();
  set("barker@a");
  const there = world.table.snapshot();
  const have = { epoch: "epoch-0", revision: 70, hash: world.table.hash() };
  set("barker@a", "barker@b");
  set("barker@b");
  const table = new Catalog();
  table.apply(there);
  const { messages } = drain(new Stream(source, have, 5), table);
  expect(messages).toMatchObject([
    { type: "delta", from: 1, revision: 1, hash: have.hash, change: { instances: [] } },
    { type: "warm" },
    { type: "delta", from: 1, revision: 2 },
    { type: "delta", from: 2, revision: 3, hash: world.table.hash() },
  ]);
  expect(table.hash()).toBe(world.table.hash());
});

test("next() goes on from the table that the log began with", () => {
  const { source, log, set, world } = createSource();
  const hash = world.table.hash();
  log.begin(hash);
  set("barker@a");
  const { messages } = drain(new Stream(source, { epoch: "epoch-0", revision: 70, hash }, 5));
  expect(messages).toMatchObject([{ from: 0, revision: 0, hash }, { type: "warm" }, { from: 0, revision: 1 }]);
});

test("next() gives a snapshot where what came after a table is no longer kept", () => {
  const { source, set, world } = createSource({ revisionsMax: 3, bytesMax: 1_000_000 });
  set("barker@a");
  const have = { epoch: "epoch-0", revision: 70, hash: world.table.hash() };
  for (const name of ["b", "c", "d", "e", "f"]) set(`barker@${name}`);
  expect(types(drain(new Stream(source, have, 0)).messages)).toContain("snapshot");
});

/** What a subscriber has that once followed a directory with these instances. */
function subscriberOf(...names: string[]) {
  const { world, set } = createSource();
  set(...names);
  const table = new Catalog();
  table.apply(world.table.snapshot());
  const { services, instances } = table.size;
  const sectors = table.buckets(bucketsFor(services + instances));
  return { table, have: { epoch: "epoch-0", revision: 70, hash: table.hash(), sectors } };
}

test("next() gives a subscriber with a table that never was here the sectors that differ", () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `barker@i${i}`);
  const { table, have } = subscriberOf(...many, "barker@gone");
  const { source, set, world } = createSource();
  source.warming = true;
  set(...many);
  set(...many.slice(1), "barker@new", "other@new");
  const feed = new Stream(source, have, 0);
  const [message, ...rest] = drain(feed).messages;
  if (message?.type !== "snapshot" || message.sectors === undefined) throw new Error("wanted some sectors");
  expect(rest).toEqual([]);
  expect(message).toMatchObject({ part: 0, last: true, warming: true, hash: world.table.hash() });
  expect(message.instances.length).toBeLessThan(300);
  table.apply(table.changeTo({ ...message, gone: emptyChange().gone }, message.sectors));
  expect(table.hash()).toBe(world.table.hash());
  set(...many.slice(1), "barker@newer");
  expect(drain(feed, table).messages).toMatchObject([{ type: "delta", from: 3 }]);
  expect(table.hash()).toBe(world.table.hash());
  // The next one that has the same is sent the same, and what came after it.
  const another = drain(new Stream(source, have, 0)).messages;
  expect(another).toMatchObject([
    { sectors: message.sectors, revision: 3 },
    { type: "delta", from: 3 },
  ]);
});

test.each([
  ["has nothing in common", {}],
  ["tells of sectors in a number that is none of ours", { sectors: "00000000".repeat(3) }],
])("next() gives the whole to a subscriber that %s", (_, fields) => {
  const { source, set } = createSource();
  set("barker@a");
  const { have } = subscriberOf(...Array.from({ length: 500 }, (_one, i) => `emitter@i${i}`));
  const { messages } = drain(new Stream(source, { ...have, ...fields }, 0));
  expect(messages[0]).toMatchObject({ type: "snapshot", last: true });
  expect(messages[0]).not.toHaveProperty("sectors");
});

test("next() gives the hash of the table that each message leads to", () => {
  const { source, set } = createSource();
  set("barker@a");
  const feed = new Stream(source, null, 0);
  const { messages, table } = drain(feed);
  expect(messages).toMatchObject([{ type: "snapshot", hash: table.hash() }]);
  set("barker@b");
  expect(drain(feed, table).messages).toMatchObject([{ type: "delta", hash: table.hash() }]);
});

test.each<[{ epoch: string; revision: number } | null, string]>([
  [{ epoch: "epoch-0", revision: 2 }, "another epoch"],
  [{ epoch: "epoch-1", revision: 9 }, "a revision that is yet to come"],
  [null, "nothing"],
])("next() gives a snapshot to a subscriber that has %o: %s", (have) => {
  const { source, set } = createSource();
  set("barker@a");
  expect(types(drain(new Stream(source, have, 0)).messages)).toContain("snapshot");
});

test("next() cuts a subscriber back to a snapshot that is behind what is kept", () => {
  const { source, set, world } = createSource({ revisionsMax: 3, bytesMax: 1_000_000 });
  const feed = new Stream(source, null, 0);
  const { table } = drain(feed);
  for (const name of ["a", "b", "c", "d", "e"]) set(`barker@${name}`);
  const { messages } = drain(feed);
  expect(types(messages)).toBe("snapshot");
  expect(table.size.instances).toBe(0);
  expect(drain(new Stream(source, null, 0)).table.snapshot()).toEqual(world.table.snapshot());
});

test("next() serves a snapshot of an older revision with the deltas after it, and makes a new one when those grow", () => {
  const { source, set, world, log } = createSource();
  const many = Array.from({ length: 50 }, (_, i) => `barker@i${i}`);
  set(...many);
  drain(new Stream(source, null, 0));
  set(...many, "barker@one-more");
  const second = drain(new Stream(source, null, 0));
  expect(second.messages).toMatchObject([
    { type: "snapshot", revision: 1 },
    { type: "delta", revision: 2 },
  ]);
  expect(second.table.snapshot()).toEqual(world.table.snapshot());
  for (let i = 0; i < 20; i++) set(...many.slice(i));
  const third = drain(new Stream(source, null, 0));
  expect(third.messages).toMatchObject([{ type: "snapshot", revision: log.revision }]);
});

test("next() says that the warm-up is over, after the snapshot that said it was not", () => {
  const { source, set } = createSource();
  source.warming = true;
  set("barker@a");
  const feed = new Stream(source, null, 0);
  expect(drain(feed).messages).toMatchObject([{ type: "snapshot", warming: true }]);
  source.warming = false;
  expect(types(drain(feed).messages)).toBe("warm");
  expect(drain(feed).messages).toEqual([]);
});

test("a large snapshot comes in parts, of which the last says so", () => {
  const { source, set } = createSource();
  set(...Array.from({ length: 4_500 }, (_, i) => `barker@i${i}`));
  const { messages, table } = drain(new Stream(source, null, 0));
  expect(messages.map((message) => message.type === "snapshot" && message.last)).toEqual([false, false, true]);
  expect(table.size.instances).toBe(4_500);
});

test("FilteredStream gives the services that are wanted and says nothing of the others", () => {
  const { source, set } = createSource();
  set("barker@a", "other@a");
  const feed = new FilteredStream(source, wish);
  const { table } = drain(feed);
  expect([...table.serviceNames()]).toEqual(["barker"]);
  set("barker@a", "other@a", "other@b");
  expect(drain(feed, table).messages).toEqual([]);
  set("barker@b");
  const { messages } = drain(feed, table);
  expect(messages).toMatchObject([
    { type: "delta", from: 1, revision: 3, change: { gone: { instances: ["barker@a"] } } },
  ]);
  expect([...table.instances()].map(({ name }) => name)).toEqual(["b"]);
});

test("FilteredStream gives the hash of what it gives, and to one that has it nothing more", () => {
  const { source, set } = createSource();
  set("barker@a", "other@a");
  const feed = new FilteredStream(source, wish);
  const { messages, table } = drain(feed);
  expect(messages).toMatchObject([{ type: "snapshot", hash: table.hash() }]);
  set("barker@b", "other@a");
  expect(drain(feed, table).messages).toMatchObject([{ type: "delta", hash: table.hash() }]);
  const have = { epoch: "epoch-0", revision: 4, hash: table.hash() };
  const again = drain(new FilteredStream(source, { ...wish, have })).messages;
  expect(again).toMatchObject([{ type: "delta", from: 2, revision: 2, hash: have.hash }]);
});

test("FilteredStream follows the shares that a wanted service sends to another", () => {
  const { world, source, set, publish } = createSource();
  state(world, "vm2", [registration("target@t", {})]);
  set("barker@a");
  const feed = new FilteredStream(source, wish);
  const { table } = drain(feed);
  const route = { target: "//target", share: 1_000, slots: [[0, 1_000]] as [number, number][], when: null };
  const routes = [{ ...route, reading: "service" as const, order: 0, expiry: null }];
  const value = { caller: "*", service: "barker", sticky: null, routes };
  world.set({ kind: "table", id: "*>barker", value }, { wallMs: 1, monotonicMs: 1 });
  publish();
  drain(feed, table);
  expect([...table.serviceNames()].toSorted()).toEqual(["barker", "target"]);
  world.set({ kind: "table", id: "*>barker", value: null }, { wallMs: 2, monotonicMs: 2 });
  publish();
  drain(feed, table);
  expect([...table.serviceNames()]).toEqual(["barker"]);
});
