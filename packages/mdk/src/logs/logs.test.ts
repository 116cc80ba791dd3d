import type { LoggedEvent } from "@datawire/protocol";
import { describe, expect, test } from "vitest";
import { refusal, settled, TestLink } from "../testing/links.ts";
import { TestClock } from "../testing/sessions.ts";
import { LogBuffer } from "./log-buffer.ts";
import { LogReaders } from "./log-readers.ts";
import { LogSender } from "./log-sender.ts";

const event = (text: string): LoggedEvent => ({
  traceId: "t",
  clock: [1],
  timestamp: 0,
  level: "INFO",
  category: "c",
  text,
  environment: "sandbox",
});
const textsOf = (events: readonly LoggedEvent[]): string[] => events.map(({ text }) => text);

describe("LogBuffer", () => {
  test("keeps 10,000 events and drops the oldest, which it counts", () => {
    const buffer = new LogBuffer();
    for (let i = 0; i < 25_000; i++) buffer.add(event(String(i)));
    expect([buffer.size, buffer.takeDropped(), buffer.takeDropped()]).toEqual([10_000, 15_000, 0]);
    expect(buffer.batch(0)).toMatchObject({
      seq: 15_000,
      events: [{ text: "15000" }, ...Array.from({ length: 499 }, () => ({}))],
    });
    buffer.acknowledge(24_999);
    expect(textsOf(buffer.batch(0)?.events ?? [])).toEqual(["24999"]);
    buffer.acknowledge(99_999);
    expect([buffer.size, buffer.batch(0)]).toEqual([0, null]);
  });

  test("keeps 8 MiB of text, and always the last event", () => {
    const buffer = new LogBuffer();
    for (let i = 0; i < 50; i++) buffer.add(event("x".repeat(256 * 1024)));
    expect(buffer.size).toBeLessThanOrEqual(32);
    expect(buffer.size).toBeGreaterThan(0);
    expect(buffer.batch(0)?.events.length).toBeLessThan(3);
  });
});

describe("LogSender", () => {
  const make = () => {
    const clock = new TestClock();
    const sender = new LogSender({ clock, tellDropped: (count) => event(`${count} dropped`) });
    return { clock, sender, link: new TestLink() };
  };

  test("sends what waited when a link comes, and what is not acknowledged again over the next one", () => {
    const { clock, sender, link } = make();
    sender.add(event("a"));
    sender.connected(link);
    sender.add(event("b"));
    clock.advance(10);
    expect(link.take("logs")).toMatchObject([
      { seq: 0, events: [{ text: "a" }] },
      { seq: 1, events: [{ text: "b" }] },
    ]);
    sender.message(link, { type: "logged", seq: 1 });
    sender.disconnected(link);
    const next = new TestLink();
    sender.connected(next);
    expect(next.take("logs")).toMatchObject([{ seq: 1, events: [{ text: "b" }] }]);
  });

  test("has a bounded number of messages on their way", () => {
    const { clock, sender, link } = make();
    sender.connected(link);
    for (let i = 0; i < 5_000; i++) sender.add(event(String(i)));
    clock.advance(10);
    expect(link.take("logs").map(({ seq, events }) => [seq, events.length])).toEqual([
      [0, 500],
      [500, 500],
      [1_000, 500],
      [1_500, 500],
    ]);
    sender.message(link, { type: "logged", seq: 500 });
    expect(link.take("logs")).toMatchObject([{ seq: 2_000 }]);
  });

  test("tells in one event how many were dropped", () => {
    const { sender, link } = make();
    for (let i = 0; i < 10_007; i++) sender.add(event(String(i)));
    sender.connected(link);
    let seq = 0;
    const texts: string[] = [];
    for (let messages = link.take("logs"); messages.length > 0; messages = link.take("logs")) {
      for (const message of messages) texts.push(...textsOf(message.events));
      seq = messages.map((message) => message.seq + message.events.length).at(-1) ?? seq;
      sender.message(link, { type: "logged", seq });
    }
    // The event that tells of it takes the place of one more.
    expect(texts.filter((text) => text.endsWith("dropped"))).toEqual(["7 dropped", "1 dropped"]);
    expect(texts[0]).toBe("8");
  });

  test("sends again what is not acknowledged for long, and leaves out what cannot be read", () => {
    const { clock, sender, link } = make();
    sender.connected(link);
    sender.add(event("a"));
    clock.advance(10);
    link.take("logs");
    clock.advance(10_000);
    expect(link.take("logs")).toMatchObject([{ seq: 0 }]);
    sender.message(link, refusal("invalid_argument", "Cannot take logs: events.0.level is wrong"));
    sender.add(event("b"));
    clock.advance(10);
    expect(link.take("logs")).toMatchObject([{ seq: 1, events: [{ text: "b" }] }]);
  });

  test.each([
    ["unsupported", 'Cannot read the message: its type is "logs"; wanted one of hello'],
    ["permission_denied", "Cannot keep log events: the token lacks the right"],
  ] as const)("does not wait for a directory that takes none: %s", async (code, message) => {
    const { sender, link } = make();
    sender.add(event("a"));
    sender.connected(link);
    const flushed = sender.flushed();
    sender.message(link, refusal(code, message));
    await flushed;
    link.take("logs");
    sender.add(event("b"));
    await sender.flushed();
    expect(link.take("logs")).toEqual([]);
  });

  test("is flushed when all is acknowledged, or when the link is gone", async () => {
    const { sender, link } = make();
    await sender.flushed();
    sender.connected(link);
    sender.add(event("a"));
    let done = false;
    const flushed = sender.flushed().then(() => (done = true));
    await settled();
    expect(done).toBe(false);
    sender.disconnected(link);
    await flushed;
  });
});

describe("LogReaders", () => {
  test("ask for what all readers want together, and for nothing when none is left", async () => {
    const readers = new LogReaders();
    const link = new TestLink();
    readers.connected(link);
    expect(link.sent).toEqual([]);
    const first = readers.read({ trace: "t", level: "ERROR" })[Symbol.asyncIterator]();
    const second = readers.read({ trace: "u" })[Symbol.asyncIterator]();
    expect(link.take("followLogs")).toMatchObject([
      { trace: "t", level: "ERROR" },
      { trace: null, level: "DEBUG" },
    ]);
    readers.message(link, {
      type: "log",
      events: [
        { ...event("a"), node: "n" },
        { ...event("b"), level: "ERROR", node: "n" },
      ],
    });
    expect((await first.next()).value).toMatchObject({ text: "b", node: "n" });
    await first.return?.();
    await second.return?.();
    expect(link.take("followLogs").at(-1)).toMatchObject({ level: null });
    expect(await second.next()).toMatchObject({ done: true });
  });

  test("end with a signal, a refusal, and a stop", async () => {
    const readers = new LogReaders();
    const link = new TestLink();
    readers.connected(link);
    const abort = new AbortController();
    const aborted = readers.read({ signal: abort.signal })[Symbol.asyncIterator]();
    const next = aborted.next();
    abort.abort();
    expect(await next).toMatchObject({ done: true });
    const refused = readers.read()[Symbol.asyncIterator]();
    readers.message(link, refusal("permission_denied", "Cannot show log events: the token lacks the right"));
    await expect(refused.next()).rejects.toMatchObject({ code: "permission_denied" });
    const stopped = readers.read()[Symbol.asyncIterator]();
    readers.stop();
    expect(await stopped.next()).toMatchObject({ done: true });
    await expect(readers.read()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "stopped" });
    expect(() => readers.read({ level: "LOUD" as "INFO" })).toThrow(/LOUD/);
  });

  test("keep a bounded number of events for one who does not read", async () => {
    const readers = new LogReaders();
    const link = new TestLink();
    readers.connected(link);
    const reader = readers.read()[Symbol.asyncIterator]();
    const events = Array.from({ length: 10_005 }, (_, i) => ({ ...event(String(i)), node: "n" }));
    readers.message(link, { type: "log", events });
    expect((await reader.next()).value).toMatchObject({ text: "5" });
  });
});
