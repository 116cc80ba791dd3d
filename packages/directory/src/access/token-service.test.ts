import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { createAuthority } from "@datawire/http/authority";
import { TokenService } from "./token-service.ts";

const order = { role: "operator", services: null, tenant: null, expiresMs: null } as const;

test("TokenService leaves out what a newer directory wrote that it cannot read, and takes the rest", async () => {
  const store = new MemoryStore();
  const errors: string[] = [];
  const log = { ...noLog, error: (message: string) => void errors.push(message) };
  const service = new TokenService({
    store,
    clock: createFakeClock(),
    log,
    board: new ProblemBoard(),
    pins: false,
    changed() {},
  });
  await service.load();
  const { record } = await service.create(order, "test");
  store.tell([
    { key: "access/token/new", value: { ...record, id: "new", role: "auditor" }, version: 2 },
    { key: "access/audience", value: {}, version: 2 },
    { key: "access/token/other", value: { ...record, id: "other", hash: "other" }, version: 2 },
    { key: `access/token/${record.id}`, value: null, version: 2 },
  ]);
  expect(errors).toEqual(Array(2).fill("Left out what the store has and cannot be read"));
  expect(service.tokens.get("other")).not.toBeNull();
  expect(service.tokens.get(record.id)).toBeNull();
});

test("TokenService.load() leaves out what it cannot read, says so, and replaces it", async () => {
  const store = new MemoryStore();
  const board = new ProblemBoard();
  await store.commit([
    { key: "access/token/new", value: { id: "new" }, version: 0 },
    { key: "access/constructor", value: {}, version: 0 },
  ]);
  const service = new TokenService({ store, clock: createFakeClock(), log: noLog, board, pins: false, changed() {} });
  await service.load();
  expect(board.list()).toMatchObject([
    { severity: "error", subject: "access/token/new", message: expect.stringContaining("hash: ") },
    { subject: "access/constructor", message: expect.stringContaining("kind is unknown") },
  ]);
  await service.create(order, "test");
  expect(service.tokens.size).toBe(1);
});

test("TokenService.authority() makes no other authority in the place of one that cannot be read", async () => {
  const store = new MemoryStore();
  await store.commit([{ key: "access/authority", value: { certificate: "no", key: "no" }, version: 0 }]);
  const service = new TokenService({
    store,
    clock: createFakeClock(),
    log: noLog,
    board: new ProblemBoard(),
    pins: true,
    changed() {},
  });
  await service.load();
  await expect(service.authority()).rejects.toThrow("Cannot use the authority of this directory");
  expect(store.records.get("access/authority")?.value).toEqual({ certificate: "no", key: "no" });
});

test("TokenService takes the authority of another directory that it hears of while it makes its own", async () => {
  const store = new MemoryStore();
  const service = new TokenService({
    store,
    clock: createFakeClock(),
    log: noLog,
    board: new ProblemBoard(),
    pins: false,
    changed() {},
  });
  await service.load();
  const authority = await createAuthority(0, "directory");
  const ours = service.authority();
  const version = await store.commit([{ key: "access/authority", value: authority, version: 0 }]);
  store.tell([{ key: "access/authority", value: authority, version }]);
  expect(await ours).toEqual(authority);
  expect((await store.load()).records).toContainEqual({ key: "access/authority", value: authority, version });
});
