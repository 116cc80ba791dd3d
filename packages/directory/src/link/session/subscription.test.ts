import { type ServerMessage, serverMessageSchema } from "@datawire/protocol";
import { expect, test } from "vitest";
import { DeltaLog } from "../../feed/delta-log.ts";
import { Snapshots } from "../../feed/snapshots.ts";
import type { Subscriber } from "../../feed/publisher.ts";
import { Subscription } from "./subscription.ts";
import { createState, registration, state } from "../../testing/worlds.ts";

/** A connection whose other side reads only when it is told to. */
function createSocket() {
  const waiting: { readonly frame: Uint8Array; readonly done: () => void }[] = [];
  const socket = {
    bufferedBytes: 0,
    send(frame: Uint8Array | string, done = (): void => {}) {
      socket.bufferedBytes += frame.length;
      waiting.push({ frame: frame as Uint8Array, done });
    },
  };
  /** Reads all that was sent, and what is sent while it reads. */
  const read = (): ServerMessage[] => {
    const messages: ServerMessage[] = [];
    for (let sent = waiting.shift(); sent !== undefined; sent = waiting.shift()) {
      socket.bufferedBytes -= sent.frame.length;
      messages.push(serverMessageSchema.parse(JSON.parse(new TextDecoder().decode(sent.frame))));
      sent.done();
    }
    return messages;
  };
  return { socket, read };
}

/** A table whose log keeps the last ten revisions, each of half a megabyte. */
function createSource() {
  const world = createState();
  const log = new DeltaLog("epoch-1", { revisionsMax: 10, bytesMax: 1_000_000_000 });
  const subscribers = new Set<Subscriber>();
  const source = {
    log,
    snapshots: new Snapshots(world.table, log),
    table: world.table,
    warming: false,
    flush() {},
    subscribe(subscriber: Subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
  };
  let round = 0;
  const change = (): void => {
    const tags = Array.from({ length: 20 }, () => "x".repeat(100));
    round += 1;
    const all = Array.from({ length: 250 }, (_, i) => registration(`barker@i${i}:${round}`, { tags }));
    state(world, "vm1", all);
    for (const part of world.writer.take()?.changes ?? []) log.append(part, { atMs: 1, hash: world.table.hash() });
    for (const subscriber of subscribers) subscriber.pump();
  };
  return { source, change, subscribers };
}

const failed = (error: unknown): void => {
  throw error;
};
const EVERYTHING = { services: null, have: null };
const typesOf = (messages: readonly ServerMessage[]): string => messages.map(({ type }) => type).join(" ");
const BUFFER = 2 * 1024 * 1024;

test("Subscription sends each change at once to one that reads", () => {
  const { source, change } = createSource();
  const { socket, read } = createSocket();
  change();
  const subscription = Subscription.begin({ source, socket, failed }, EVERYTHING, 0);
  expect(typesOf(read())).toBe("snapshot");
  for (let round = 0; round < 3; round++) {
    change();
    expect(typesOf(read())).toBe("delta");
  }
  expect(subscription.position).toEqual({ epoch: "epoch-1", revision: source.log.revision });
});

test("Subscription sends one that does not read no more than a buffer, and then the table as it is by then", () => {
  const { source, change } = createSource();
  const { socket, read } = createSocket();
  change();
  const subscription = Subscription.begin({ source, socket, failed }, EVERYTHING, 0);
  for (let round = 0; round < 30; round++) change();
  const frame = source.log.after(source.log.revision - 1)?.frame.length ?? 0;
  expect(socket.bufferedBytes).toBeGreaterThan(BUFFER - frame);
  expect(socket.bufferedBytes).toBeLessThanOrEqual(BUFFER + frame);
  const messages = read();
  expect(typesOf(messages)).toMatch(/^snapshot( delta)+ snapshot$/);
  expect(messages.at(-1)).toMatchObject({ revision: source.log.revision, last: true });
  expect(subscription.position.revision).toBe(source.log.revision);
});

test("Subscription sends nothing more once it is ended", () => {
  const { source, change, subscribers } = createSource();
  const { socket, read } = createSocket();
  const subscription = Subscription.begin({ source, socket, failed }, EVERYTHING, 0);
  read();
  subscription.end();
  change();
  expect(read()).toEqual([]);
  expect(subscribers.size).toBe(0);
});

test("Subscription that fails ends alone, and tells nobody but its own client", () => {
  const { source, change, subscribers } = createSource();
  const failures: unknown[] = [];
  const throwing = {
    bufferedBytes: 0,
    send() {
      throw new Error("the frame cannot be sent");
    },
  };
  const lost = Subscription.begin({ source, socket: throwing, failed: (error) => failures.push(error) }, EVERYTHING, 0);
  const { socket, read } = createSocket();
  const other = Subscription.begin({ source, socket, failed }, EVERYTHING, 0);
  change();
  expect(failures).toEqual([new Error("the frame cannot be sent")]);
  expect(typesOf(read())).toBe("snapshot delta");
  expect(subscribers).toEqual(new Set([other]));
  lost.end();
});
