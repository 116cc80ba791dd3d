import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "@datawire/runtime";
import { type EtcdServer, eventually, startEtcd } from "@datawire/runtime/testing";
import type { Sighting, StoredRegistration } from "../../model/records.ts";
import { registration } from "../../testing/worlds.ts";
import { describeStore } from "../testing/conformance.ts";
import type { EtcdStore } from "./etcd-store.ts";
import { follow, type Followed, openStore, put } from "./testing/followed.ts";

// A real etcd, on a machine that may be busy.

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());

let prefixes = 0;
const newPrefix = (): string => `/test/${++prefixes}`;

const open = (prefix: string): Promise<EtcdStore> => openStore({ prefix, endpoints: [etcd.url] });
const followed = (
  prefix: string,
  choice: { readonly address?: string; readonly leaseMs?: number } = {},
  clock?: Clock,
): Promise<Followed> => follow({ prefix, endpoints: [etcd.url], ...choice }, clock);

describeStore("etcd", async () => {
  const prefix = newPrefix();
  return { open: () => open(prefix) };
});

test("follow() tells what others wrote, in their order", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await followed(prefix)];
  let version = 0;
  for (let n = 0; n < 50; n++) version = await a.store.commit([put("n", n, version), put(`k/${n}`, n)]);
  await eventually(() => expect(b.records.at(-1)?.value).toBe(49));
  expect(b.records.filter(({ key }) => key === "n").map(({ value }) => value)).toEqual([...Array(50).keys()]);
  await b.store.commit([put("n", null, version)]);
  await eventually(() => expect(a.records.at(-1)).toMatchObject({ key: "n", value: null }));
  await Promise.all([a.store.close(), b.store.close()]);
});

test("commit() tells what it lost to before it says so", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await open(prefix)];
  const version = await b.commit([put("x", 1)]);
  await expect(a.store.commit([put("x", 2)])).rejects.toMatchObject({ code: "conflict" });
  expect(a.records).toEqual([{ key: "x", value: 1, version }]);
  await expect(a.store.commit([put("x", 2, version)])).resolves.toBeGreaterThan(version);
  await Promise.all([a.store.close(), b.close()]);
});

test("two directories that count up one record together lose no count", async () => {
  const prefix = newPrefix();
  const count = async (): Promise<void> => {
    const { store } = await followed(prefix);
    for (let won = 0; won < 20;) {
      const found = (await store.load()).records.find(({ key }) => key === "n");
      const next = Number(found?.value ?? 0) + 1;
      won += await store.commit([put("n", next, found?.version ?? 0)]).then(
        () => 1,
        () => 0,
      );
    }
    await store.close();
  };
  await Promise.all([count(), count(), count()]);
  const store = await open(prefix);
  expect((await store.load()).records).toMatchObject([{ key: "n", value: 60 }]);
  await store.close();
});

const vm1 = { id: "vm1", name: "vm1", version: "1" };
const stored = (text: string): StoredRegistration => ({
  watson: vm1,
  registration: registration(text),
  order: 0,
  sinceMs: 1,
});
const seenAt = (replica: string | null): Sighting => ({ ...vm1, replica, sinceMs: 1 });
const claim = (replica: string | null, texts: readonly string[]) => ({
  watson: "vm1",
  sighting: seenAt(replica),
  stored: texts.map(stored),
  gone: [],
  away: null,
});

test("save() of a Watson that another directory has seen since writes nothing", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await followed(prefix)];
  expect(await a.shared.save([claim("a", ["x@1", "x@2"])])).toEqual([]);
  await eventually(() => expect(b.news.flatMap((one) => one.registrations)).toHaveLength(2));
  const behind = await open(prefix);
  await behind.load(); // and hears nothing from then on
  expect(await b.shared.save([claim("b", [])])).toEqual([]);
  const late = { watson: "vm1", stored: [stored("x@3")], gone: ["x@1"], away: null };
  expect(await behind.replication.save([late])).toEqual([late]);
  await eventually(() => expect(a.news.at(-1)?.sightings).toEqual([{ id: "vm1", value: seenAt("b") }]));
  const names = (await b.store.load()).registrations.map((one) => one.registration.name);
  expect(names.toSorted()).toEqual(["1", "2"]);
  await Promise.all([a.store.close(), b.store.close(), behind.close()]);
});

test("save() of 1,000 instances of one Watson goes through in parts", async () => {
  const { store, shared } = await followed(newPrefix());
  const names = Array.from({ length: 1_000 }, (_, i) => `x@i${i}`);
  expect(await shared.save([claim(shared.replica, names)])).toEqual([]);
  expect((await store.load()).registrations).toHaveLength(1_000);
  const forgotten = { watson: "vm1", sighting: null, stored: [], gone: names, away: null };
  expect(await shared.save([forgotten])).toEqual([]);
  expect((await store.load()).registrations).toEqual([]);
  await store.close();
});

test("challenge() asks the other directory, and takes silence for no", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await followed(prefix)];
  expect(await a.shared.challenge("alive", b.shared.replica)).toBe(true);
  expect(await a.shared.challenge("dead", b.shared.replica)).toBe(false);
  const hasty = await followed(prefix, {}, systemClock);
  expect(await hasty.shared.challenge("alive", "nobody")).toBe(false);
  await Promise.all([a, b, hasty].map(({ store }) => store.close()));
});

test("replicas() shows who is there, until some time after its end; then it is missed until its address is back", async () => {
  const prefix = newPrefix();
  // Long enough that what follows the end comes before it is over.
  const leaseMs = 18_000;
  const [a, b] = [await followed(prefix), await followed(prefix, { address: "//b/directory", leaseMs })];
  await eventually(() => expect(a.shared.replicas()).toHaveLength(2));
  await b.store.close();
  expect(a.shared.replicas()).toHaveLength(2);
  expect(a.shared.missing()).toEqual([]);
  await eventually(() => expect(a.shared.replicas()).toHaveLength(1));
  expect(a.shared.missing()).toEqual([{ address: "//b/directory", sinceMs: expect.any(Number) }]);
  const again = await followed(prefix, { address: "//b/directory" });
  await eventually(() => expect(a.shared.missing()).toEqual([]));
  await Promise.all([a.store.close(), again.store.close()]);
});
