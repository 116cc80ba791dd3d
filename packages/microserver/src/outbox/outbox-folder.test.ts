import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock } from "@datawire/runtime/testing";
import type { IncomingDelivery } from "@datawire/amqp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { draft, readMessage } from "../core/message.ts";
import { Hub } from "../links/hub.ts";
import { MemoryRouter } from "../testing/memory-router.ts";
import { Outbox } from "./outbox.ts";
import { OutboxFolder } from "./outbox-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dstack-outbox-"));
});
afterEach(() => rm(folder, { recursive: true }));

const NUMBERED = { producer: "p", sequence: 7 };
const NAMED = { producer: "made-of-a-key", sequence: 1 };

/** Keeps two messages as a process does that is killed before they are accepted. */
async function leave(): Promise<void> {
  const { store } = await OutboxFolder.open(folder);
  const kept = (body: string) => draft("orders", body, { id: body, properties: { colour: "red" } }, 1_000);
  await store.put({ id: 1, to: "orders", draft: kept("a"), identity: NUMBERED, isAlone: false });
  await store.put({ id: 2, to: "orders", draft: kept("b"), identity: NAMED, isAlone: true });
  await store.close();
}

test("OutboxFolder.open() has all that an earlier process left, and whether each is the only one of its producer", async () => {
  await leave();
  const { store, left } = await OutboxFolder.open(folder);
  expect(left).toMatchObject([
    { id: 1, to: "orders", identity: NUMBERED, isAlone: false },
    { id: 2, to: "orders", identity: NAMED, isAlone: true },
  ]);
  await store.close();
});

test("Outbox sends what an earlier process left under its identity, also again after it was given back", async () => {
  await leave();
  const clock = createFakeClock();
  const router = new MemoryRouter();
  const came: (readonly [string, string | undefined])[] = [];
  router.onDelivered = (delivery: IncomingDelivery) => {
    const read = readMessage(Uint8Array.from(delivery.message), "orders");
    if (!("message" in read) || !("identity" in read)) throw new Error("Cannot read it");
    const { body } = read.message;
    came.push([typeof body === "string" ? body : "no text", read.identity?.producer]);
    if (came.length <= 2) delivery.release();
    else delivery.accept();
  };
  const { store, left } = await OutboxFolder.open(folder);
  const chance = { number: () => 0.5, id: () => "id" };
  const hub = new Hub({ role: "client", open: { containerId: "one" } }, { dial: router.dial, clock, chance });
  const outbox = new Outbox(hub, { messages: 100, bytes: 10_000 }, store, left);
  const drained = outbox.drained();
  await clock.advance(0);
  expect(came).toEqual([
    ["a", "p"],
    ["b", "made-of-a-key"],
  ]);
  await clock.advance(100);
  // The first has a new number, which is kept on disk before it goes.
  while (outbox.messages > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(0);
  }
  await drained;
  expect(came.slice(2).toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
    ["a", "idid"],
    ["b", "made-of-a-key"],
  ]);
  await outbox.close();
  await hub.close();
});

test("Outbox goes on at the relay after a message that could not be kept", async () => {
  const clock = createFakeClock();
  const router = new MemoryRouter();
  const { store } = await OutboxFolder.open(folder);
  const chance = { number: () => 0.5, id: () => "id" };
  const hub = new Hub({ role: "client", open: { containerId: "one" } }, { dial: router.dial, clock, chance });
  const outbox = new Outbox(hub, { messages: 100, bytes: 10_000 }, store);
  await clock.advance(0);
  const send = (): Promise<void> => outbox.send("answers", draft("answers", "a", {}, 1_000), { isRelayed: true });
  await rm(folder, { recursive: true });
  await expect(send()).rejects.toMatchObject({ code: "storage" });
  await mkdir(folder);
  await expect(send()).resolves.toBeUndefined();
  await outbox.close();
  await hub.close();
});
