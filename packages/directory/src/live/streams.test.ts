import { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { createFakeClock } from "@datawire/runtime/testing";
import { ProtocolError } from "@datawire/protocol";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { EVERYTHING } from "../access/grant.ts";
import { CatalogWriter } from "../feed/catalog-writer.ts";
import { Publisher } from "../feed/publisher.ts";
import { parseEventId } from "./event.ts";
import { type Order, Streams, STREAMS_MAX } from "./streams.ts";
import { rowsTopic } from "./topic.ts";

function start() {
  const clock = createFakeClock();
  const failures: unknown[] = [];
  const publisher = new Publisher(new CatalogWriter(), { clock, epoch: "e", published() {} });
  publisher.begin();
  const streams = new Streams({ clock, publisher, failed: (error) => void failures.push(error) });
  const rows = new Map<string, string>();
  let looks = 0;
  const topic = () =>
    rowsTopic({
      everyMs: 0,
      whole: () => ({ rows: [...rows] }),
      rows() {
        looks += 1;
        return [...rows];
      },
      keyOf: ([key]) => key,
    });
  const order: Order = {
    topics: new Map([["rows", topic]]),
    asked: new Map(),
    lastEventId: null,
    isPacked: false,
    resumable: new Set(),
  };
  return { clock, streams, rows, order, failures, looks: () => looks };
}

/** One who follows; it takes nothing in while it is paused. In chunks it is sent as by HTTP/1.1. */
function reader({ isChunked = false } = {}) {
  let text = "";
  const parts: Buffer[] = [];
  let isPaused = false;
  let go: (() => void) | null = null;
  const socket = new Duplex({
    read() {},
    write(part: Buffer, _, done) {
      text += part.toString();
      parts.push(part);
      if (isPaused) go = done;
      else done();
    },
  });
  const res = new ServerResponse(new IncomingMessage(socket as Socket));
  res.useChunkedEncodingByDefault = isChunked;
  res.assignSocket(socket as Socket);
  // As a server of Node does for each of its connections.
  socket.on("drain", () => res.emit("drain"));
  res.writeHead(200);
  return {
    res,
    socket,
    /** All that was sent. */
    bytes: () => Buffer.concat(parts),
    pause: () => void (isPaused = true),
    resume() {
      isPaused = false;
      go?.();
      go = null;
    },
    /** The data of the events so far, and forgets them. */
    take(): unknown[] {
      const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? "") as unknown);
      text = "";
      return data;
    },
  };
}

const forGood = { grant: EVERYTHING, ended: () => null };

test("Streams looks once for all who follow the same", async () => {
  const { clock, streams, rows, order, looks } = start();
  const [a, b] = [reader(), reader()];
  for (const { res } of [a, b]) streams.follow(res, forGood, order);
  await clock.advance(0);
  expect([...a.take(), ...b.take()]).toEqual([{ rows: [] }, { rows: [] }]);
  const before = looks();
  rows.set("x", "1");
  streams.touch();
  await clock.advance(100);
  expect(looks()).toBe(before + 1);
  const news = { changed: [["x", "1"]], gone: [] };
  expect([a.take(), b.take()]).toEqual([[news], [news]]);
  rows.delete("x");
  await clock.advance(500);
  expect(a.take()).toEqual([{ changed: [], gone: ["x"] }]);
});

test("Streams sends a topic before it looks at the next one", async () => {
  const { clock, streams, order } = start();
  const one = reader({ isChunked: true });
  const before: unknown[][] = [];
  const slow = () => ({
    everyMs: 0,
    whole() {
      before.push(one.take());
      return { slow: [] };
    },
    changes: () => null,
  });
  streams.follow(one.res, forGood, { ...order, topics: new Map([...order.topics, ["slow", slow]]) });
  await clock.advance(0);
  expect(before).toEqual([[{ rows: [] }]]);
});

test("Streams packs for who takes that, up to the end, and says the same as to all others", async () => {
  const { clock, streams, rows, order } = start();
  const [plain, packed] = [reader(), reader()];
  streams.follow(plain.res, forGood, order);
  streams.follow(packed.res, forGood, { ...order, isPacked: true });
  await clock.advance(0);
  rows.set("x", "1");
  streams.touch();
  await clock.advance(100);
  streams.close();
  expect(gunzipSync(bodyOf(packed.bytes())).toString()).toBe(bodyOf(plain.bytes()).toString());
  expect(plain.take()).toEqual([{ rows: [] }, { changed: [["x", "1"]], gone: [] }]);
});

/** What follows the head of an answer. */
const bodyOf = (answer: Buffer): Buffer => answer.subarray(answer.indexOf("\r\n\r\n") + 4);

test("Streams sends who reads slowly a new whole, and nothing of what was missed", async () => {
  const { clock, streams, rows, order } = start();
  const slow = reader();
  streams.follow(slow.res, forGood, order);
  await clock.advance(0);
  slow.take();
  slow.pause();
  for (let i = 0; i < 100; i++) {
    rows.set("x", String(i).repeat(40_000));
    streams.touch();
    await clock.advance(500);
    // However long it takes in nothing, what waits for it is bounded.
    expect(slow.res.writableLength).toBeLessThan(1_500_000);
  }
  slow.resume();
  await clock.advance(0);
  // What the socket takes again it takes in turns of the loop.
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  const came = slow.take();
  expect(came.length).toBeLessThan(100);
  expect(JSON.stringify(came.at(-1)) === JSON.stringify({ rows: [["x", "99".repeat(40_000)]] })).toBe(true);
});

test("Streams sends who reads slowly also anew what it asks for, where it missed some", async () => {
  const { clock, streams } = start();
  const slow = reader();
  let at = 0;
  const asked = {
    first: () => Promise.resolve({ logs: [at] }),
    next: () => Promise.resolve({ changed: [String(++at).repeat(40_000)], gone: [] }),
  };
  streams.follow(slow.res, forGood, {
    topics: new Map(),
    asked: new Map([["logs", asked]]),
    lastEventId: null,
    isPacked: false,
    resumable: new Set(),
  });
  await clock.advance(0);
  slow.pause();
  for (let i = 0; i < 100; i++) await clock.advance(500);
  expect(slow.res.writableLength).toBeLessThan(1_500_000);
  const missed = at;
  slow.resume();
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  slow.take();
  await clock.advance(500);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(slow.take()[0]).toEqual({ logs: [missed] });
});

test("Streams ends what a permit no longer holds for, and all when it closes", async () => {
  const { clock, streams, rows, order } = start();
  let why: string | null = null;
  const [short, long, late] = [reader(), reader(), reader()];
  streams.follow(short.res, { grant: EVERYTHING, ended: () => why }, order);
  streams.follow(long.res, forGood, order);
  why = "revoked";
  const errors: unknown[] = [];
  short.res.on("error", (error) => errors.push(error));
  // That it ends is a change too, which comes at the same moment.
  rows.set("x", "1");
  await clock.advance(500);
  expect([short.res.writableEnded, long.res.writableEnded, errors]).toEqual([true, false, []]);
  streams.close();
  expect(long.res.writableEnded).toBe(true);
  expect(() => streams.follow(late.res, forGood, order)).toThrow("the directory is ending");
});

test("Streams takes so many and no more, and lets go of those whose connection ends", async () => {
  const { streams, order } = start();
  const readers = Array.from({ length: STREAMS_MAX }, reader);
  for (const { res } of readers) streams.follow(res, forGood, order);
  expect(() => streams.follow(reader().res, forGood, order)).toThrow(/256 are open/);
  readers[0]?.res.emit("close");
  streams.follow(reader().res, forGood, order);
  expect(streams.size).toBe(STREAMS_MAX);
});

test("Streams outlives a topic that cannot be looked at", async () => {
  const { clock, streams, rows, order, failures } = start();
  let isBroken = false;
  const broken = () => ({
    everyMs: 0,
    whole: () => ({}),
    changes() {
      if (isBroken) throw new Error("broken");
      return null;
    },
  });
  const one = reader();
  streams.follow(one.res, forGood, { ...order, topics: new Map([...order.topics, ["broken", broken]]) });
  await clock.advance(0);
  one.take();
  isBroken = true;
  await clock.advance(500);
  expect(failures).not.toEqual([]);
  isBroken = false;
  rows.set("x", "1");
  await clock.advance(500);
  expect(one.take()).toEqual([{ changed: [["x", "1"]], gone: [] }]);
});

test("Streams goes on without a topic that is refused, and tells it whole once it is not", async () => {
  const { clock, streams, rows, order, failures } = start();
  let isRefused = true;
  let step = 0;
  const say = async (news: object | null) => {
    if (isRefused) throw new ProtocolError("unavailable", "Cannot read the disk");
    return news;
  };
  const asked = {
    first: () => say({ events: [step] }),
    next: async () => (await say(null), step > 1 ? { changed: [step], gone: [] } : null),
  };
  const one = reader();
  streams.follow(one.res, forGood, { ...order, asked: new Map([["logs", asked]]) });
  await clock.advance(3_000);
  one.take();
  rows.set("x", "1");
  await clock.advance(500);
  expect(one.take()).toEqual([{ changed: [["x", "1"]], gone: [] }]);
  isRefused = false;
  step = 1;
  await clock.advance(1_000);
  expect(one.take()).toEqual([{ events: [1] }]);
  isRefused = true;
  await clock.advance(1_000);
  isRefused = false;
  step = 2;
  await clock.advance(1_000);
  expect(one.take()[0]).toEqual({ events: [2] });
  expect(failures).toEqual([]);
});

test("a stream without events says that it lives", async () => {
  const { clock, streams, order } = start();
  const one = reader();
  streams.follow(one.res, forGood, order);
  let beats = 0;
  one.res.write = ((bytes: Buffer) => {
    if (bytes.toString().startsWith(":")) beats += 1;
    return true;
  }) as typeof one.res.write;
  await clock.advance(31_000);
  expect(beats).toBe(2);
});

test.each([
  ["e.5", { epoch: "e", revision: 5 }],
  ["a.b.5", { epoch: "a.b", revision: 5 }],
  ["e", null],
  ["e.x", null],
  [".5", null],
  ["", null],
])("parseEventId() of %o is %o", (text, expected) => expect(parseEventId(text)).toEqual(expected));
