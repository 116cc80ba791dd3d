import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { noLog, systemClock } from "@datawire/runtime";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Sighting, StoredRegistration } from "../../core/records.ts";
import type { SharedNews } from "../../core/others-word.ts";
import { registration } from "../../testing/worlds.ts";
import type { Store, VersionedRecord } from "../contract.ts";
import { describeStore } from "../testing/conformance.ts";
import { type EtcdServer, startEtcd } from "@datawire/runtime/testing";
import { openEtcdStore } from "./etcd-store.ts";

// Etcd and processes are started, stopped and waited for, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());

let prefixes = 0;
const newPrefix = (): string => `/test/${++prefixes}`;
const never = new AbortController().signal;

function open(prefix: string, endpoints: readonly string[] = [etcd.url]): Promise<Store> {
  const config = { endpoints, user: null, tls: null, prefix, address: "//localhost/directory", leaseMs: 9_000 };
  return openEtcdStore(config, { clock: systemClock, log: noLog }, never);
}

describeStore("etcd", async () => {
  const prefix = newPrefix();
  return { open: () => open(prefix) };
});

/** Waits until `check` no longer throws. */
async function eventually<T>(check: () => T, withinMs = 30_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** A store that is followed, with all that came. */
async function followed(prefix: string, endpoints?: readonly string[]) {
  const store = await open(prefix, endpoints);
  await store.load();
  const records: VersionedRecord[] = [];
  const news: SharedNews[] = [];
  store.follow((some) => records.push(...some));
  store.shared?.follow({ news: (some) => news.push(some), challenged: async (id) => id === "alive" });
  return { store, records, news, shared: store.shared! };
}

const put = (key: string, value: unknown, expected = 0) => ({ key, value, expected });

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

test("follow() goes on after etcd has forgotten the revisions in between", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await open(prefix)];
  const first = await b.commit([put("stays", 1), put("goes", 1)]);
  await eventually(() => expect(a.records).toHaveLength(2));
  await etcd.signal("SIGSTOP");
  await eventually(() => expect(a.store.outage).not.toBeNull());
  await etcd.signal("SIGCONT");
  await b.commit([put("stays", 2, first), put("goes", null, first)]);
  const last = await b.commit([put("new", 1)]);
  await etcd.call("/v3/kv/compaction", { revision: String(last), physical: true });
  await eventually(() => expect(a.store.outage).toBeNull());
  await eventually(() => {
    const known = new Map(a.records.map(({ key, value }) => [key, value]));
    expect(Object.fromEntries(known)).toEqual({ stays: 2, goes: null, new: 1 });
  });
  await Promise.all([a.store.close(), b.close()]);
});

test.each(["SIGSTOP", "SIGKILL"] as const)(
  "%s of etcd: reads go on, changes are refused, and it recovers",
  async (signal) => {
    const { store } = await followed(newPrefix());
    const version = await store.commit([put("x", 1)]);
    await etcd.signal(signal);
    await eventually(() => expect(store.outage).not.toBeNull());
    await expect(store.commit([put("x", 2, version)])).rejects.toMatchObject({ code: "unavailable" });
    if (signal === "SIGSTOP") await etcd.signal("SIGCONT");
    else await etcd.start();
    await eventually(() => expect(store.outage).toBeNull());
    expect(await store.commit([put("x", 3, version)])).toBeGreaterThan(version);
    await store.close();
  },
);

test("a store goes on with the next endpoint when one refuses", async () => {
  const prefix = newPrefix();
  const { store } = await followed(prefix, ["http://127.0.0.1:9", etcd.url]);
  await expect(store.commit([put("x", 1)])).resolves.toBeGreaterThan(0);
  await store.close();
});

test("openEtcdStore() waits for an etcd that is away, and refuses what a newer version wrote", async () => {
  const prefix = newPrefix();
  await etcd.signal("SIGKILL");
  const opening = open(prefix);
  await etcd.start();
  await (await opening).close();
  const key = Buffer.from(`${prefix}/format/directory`).toString("base64");
  await etcd.call("/v3/kv/put", { key, value: Buffer.from('{"form":99}').toString("base64") });
  await expect(open(prefix)).rejects.toMatchObject({ code: "damaged" });
});

test("a store speaks as its user, who may see its own prefix alone, and goes on after its token has ended", async () => {
  const guarded = await startEtcd();
  onTestFinished(() => guarded.dispose());
  const text = (plain: string) => Buffer.from(plain).toString("base64");
  const prefix = "/guarded/default";
  const perm = { permType: "READWRITE", key: text(`${prefix}/`), range_end: text(`${prefix}0`) };
  for (const name of ["root", "datawire"]) {
    await guarded.call("/v3/auth/role/add", { name });
    await guarded.call("/v3/auth/user/add", { name, password: "secret" });
    await guarded.call("/v3/auth/user/grant", { user: name, role: name });
  }
  await guarded.call("/v3/auth/role/grant", { name: "datawire", perm });
  await guarded.call("/v3/auth/enable", {});
  const user = { name: "datawire", password: "secret" };
  const config = { endpoints: [guarded.url], user, tls: null, prefix, address: "//x/directory", leaseMs: 9_000 };
  const store = await openEtcdStore(config, { clock: systemClock, log: noLog }, never);
  await store.load();
  store.follow(() => {});
  const version = await store.commit([put("x", 1)]);
  await guarded.signal("SIGKILL"); // tokens do not survive it
  await eventually(() => expect(store.outage).not.toBeNull());
  await guarded.start();
  await eventually(() => expect(store.outage).toBeNull());
  await expect(store.commit([put("x", 2, version)])).resolves.toBeGreaterThan(version);
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
  expect(await behind.shared?.save([late])).toEqual([late]);
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
  expect(await a.shared.challenge("alive", "nobody")).toBe(false);
  await Promise.all([a.store.close(), b.store.close()]);
});

test("replicas() shows who is there, until some time after its end", async () => {
  const prefix = newPrefix();
  const [a, b] = [await followed(prefix), await followed(prefix)];
  await eventually(() => expect(a.shared.replicas()).toHaveLength(2));
  await b.store.close();
  expect(a.shared.replicas()).toHaveLength(2);
  await eventually(() => expect(a.shared.replicas()).toHaveLength(1));
  await a.store.close();
});

/** Starts a process that commits records 0, 1, 2… and prints each when it is acknowledged. */
function startWriter(prefix: string): ChildProcess {
  const program = `
    const { openEtcdStore } = await import(${JSON.stringify(new URL("./etcd-store.ts", import.meta.url).href)});
    const { systemClock, noLog } = await import(${JSON.stringify(import.meta.resolve("@datawire/runtime"))});
    const config = ${JSON.stringify({ endpoints: [etcd.url], user: null, tls: null, prefix, address: "//x/directory", leaseMs: 9_000 })};
    const store = await openEtcdStore(config, { clock: systemClock, log: noLog }, new AbortController().signal);
    let next = (await store.load()).records.length;
    for (;;) {
      await store.commit([{ key: "n/" + next, value: { next, text: "x".repeat(500) }, expected: 0 }]);
      process.stdout.write(next + "\\n");
      next += 1;
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "ignore"] });
}

const ROUNDS = process.env["DSTACK_SOAK"] === "1" ? 200 : 4;

test(
  `commit() loses nothing that it acknowledged in ${ROUNDS} rounds of kill -9, of the directory and of etcd in turn`,
  { timeout: ROUNDS * 10_000 },
  async () => {
    const prefix = newPrefix();
    let acknowledged = -1;
    for (let round = 0; round < ROUNDS; round++) {
      const writer = startWriter(prefix);
      const until = acknowledged + 20 + round;
      let etcdEnd: Promise<void> | null = null;
      for await (const line of createInterface({ input: writer.stdout! })) {
        acknowledged = Number(line);
        if (acknowledged !== until) continue;
        if (round % 2 === 1) etcdEnd = etcd.signal("SIGKILL");
        else writer.kill("SIGKILL");
      }
      if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
      if (etcdEnd !== null) {
        await etcdEnd;
        await etcd.start();
      }
      const store = await open(prefix);
      const keys = new Set((await store.load()).records.map(({ key }) => key));
      await store.close();
      for (let n = 0; n <= acknowledged; n++) expect(keys.has(`n/${n}`)).toBe(true);
      acknowledged = keys.size - 1;
    }
  },
);
