import { noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { MemoryStore } from "../testing/memory-store.ts";
import { TokenDesk } from "./token-desk.ts";

const order = { role: "operator", services: null, tenant: null, expiresMs: null } as const;

test("TokenDesk leaves out what a newer directory wrote that it cannot read, and takes the rest", async () => {
  const store = new MemoryStore();
  const errors: string[] = [];
  const log = { ...noLog, error: (message: string) => void errors.push(message) };
  const desk = new TokenDesk({ store, clock: createFakeClock(), log, pins: false });
  await desk.load();
  const { record } = await desk.create(order, "test");
  store.tell([
    { key: "access/token/new", value: { ...record, id: "new", role: "auditor" }, version: 2 },
    { key: "access/audience", value: {}, version: 2 },
    { key: "access/token/other", value: { ...record, id: "other", hash: "other" }, version: 2 },
    { key: `access/token/${record.id}`, value: null, version: 2 },
  ]);
  expect(errors).toEqual(["A record of another directory is left out", "A record of another directory is left out"]);
  expect(desk.tokens.get("other")).not.toBeNull();
  expect(desk.tokens.get(record.id)).toBeNull();
});

test("TokenDesk.load() refuses a store with what it cannot read", async () => {
  const store = new MemoryStore();
  await store.commit([{ key: "access/token/new", value: { id: "new" }, expected: 0 }]);
  const desk = new TokenDesk({ store, clock: createFakeClock(), log: noLog, pins: false });
  await expect(desk.load()).rejects.toThrow("Cannot read record access/token/new");
});

test("TokenDesk takes the authority of another directory that it hears of while it makes its own", async () => {
  const store = new MemoryStore();
  const desk = new TokenDesk({ store, clock: createFakeClock(), log: noLog, pins: false });
  await desk.load();
  const authority = { certificate: "of another", key: "of another" };
  const ours = desk.authority();
  const version = await store.commit([{ key: "access/authority", value: authority, expected: 0 }]);
  store.tell([{ key: "access/authority", value: authority, version }]);
  expect(await ours).toEqual(authority);
  expect((await store.load()).records).toContainEqual({ key: "access/authority", value: authority, version });
});
