import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type EtcdServer, eventually, startEtcd } from "@datawire/runtime/testing";
import type { Store } from "../contract.ts";
import { follow, type Followed, hastyClock, openStore, put } from "./testing/followed.ts";
import { enableUser } from "./testing/users.ts";

// Etcd and processes are started, stopped and waited for, on a machine that may be busy.

let etcd: EtcdServer;
beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.dispose());

let prefixes = 0;
const newPrefix = (): string => `/test/${++prefixes}`;

const open = (prefix: string): Promise<Store> => openStore({ prefix, endpoints: [etcd.url] });
/** It looks often whether etcd is there. */
const followed = (prefix: string): Promise<Followed> => follow({ prefix, endpoints: [etcd.url] }, hastyClock);

/** A change is taken again, if not at once: etcd may still be slow, and what it has not answered it may have done. */
const takesAgain = (store: Store, write: ReturnType<typeof put>): Promise<void> =>
  eventually(async () => {
    await store.commit([write]).catch(async (error: unknown) => {
      const { records } = await store.load();
      if (records.find(({ key }) => key === write.key)?.value !== write.value) throw error;
    });
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
    const prefix = newPrefix();
    const [{ store }, other] = [await followed(prefix), await open(prefix)];
    const version = await other.commit([put("x", 1)]);
    await etcd.signal(signal);
    await eventually(() => expect(store.outage).not.toBeNull());
    await expect(store.commit([put("x", 2, version)])).rejects.toMatchObject({ code: "unavailable" });
    if (signal === "SIGSTOP") await etcd.signal("SIGCONT");
    else await etcd.start();
    await eventually(() => expect(store.outage).toBeNull());
    await takesAgain(store, put("x", 3, version));
    await Promise.all([store.close(), other.close()]);
  },
);

test("a store goes on with the next endpoint when one refuses", async () => {
  const prefix = newPrefix();
  const { store } = await follow({ prefix, endpoints: ["http://127.0.0.1:9", etcd.url] });
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
  const prefix = "/guarded/default";
  const user = { name: "datawire", password: "secret" };
  await enableUser(guarded, user, prefix);
  const { store } = await follow({ endpoints: [guarded.url], user, prefix });
  const version = await store.commit([put("x", 1)]);
  await guarded.signal("SIGKILL"); // tokens do not survive it
  await eventually(() => expect(store.outage).not.toBeNull());
  await guarded.start();
  await eventually(() => expect(store.outage).toBeNull());
  await takesAgain(store, put("x", 2, version));
  await store.close();
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
      await store.commit([{ key: "n/" + next, value: { next, text: "x".repeat(500) }, version: 0 }]);
      process.stdout.write(next + "\\n");
      next += 1;
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "ignore"] });
}

const ROUNDS = process.env["DSTACK_SOAK"] === "1" ? 200 : 4;

test(`commit() loses nothing that it acknowledged in ${ROUNDS} rounds of kill -9, of the directory and of etcd in turn`, async () => {
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
    expect(acknowledged).toBeGreaterThanOrEqual(until);
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
});
