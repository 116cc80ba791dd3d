import { emptyChange, type Registration, serviceSchema, type TableChange } from "@datawire/protocol";
import { bucketsFor, Catalog } from "@datawire/catalog";
import { systemChance } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryEtcd } from "../testing/memory/memory-etcd.ts";
import { hello, sherlockOf, watsonOf } from "../testing/served.ts";
import { type ServedInMemory, serveInMemory, until } from "../testing/memory/served-in-memory.ts";
import { registration } from "../testing/worlds.ts";

let clock: FakeClock;
let etcd: MemoryEtcd;
beforeEach(() => {
  clock = createFakeClock();
  etcd = new MemoryEtcd(clock, systemChance);
});

const open: ServedInMemory[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.stop()));
});

/** A directory on the store. */
async function start({ leaseMs = 9_000 } = {}): Promise<ServedInMemory> {
  const store = await until(clock, etcd.open({ name: "localhost", clock }, { leaseMs }));
  const served = await serveInMemory({ store, clock, leaseMs });
  open.push(served);
  return served;
}

/** Two directories on one store, which is empty. */
async function startTwo(options?: { readonly leaseMs: number }): Promise<[ServedInMemory, ServedInMemory]> {
  return [await start(options), await start(options)];
}

/** Ends a directory, whose clients lose their links. */
async function end(served: ServedInMemory): Promise<void> {
  open.splice(open.indexOf(served), 1);
  await served.stop();
}

/** How far the clock is moved until something is so. */
const WAIT_MS_MAX = 60_000;

async function eventually(look: () => Promise<void>): Promise<void> {
  const endMs = clock.monotonicMs() + WAIT_MS_MAX;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (clock.monotonicMs() >= endMs) throw error;
      await clock.advance(10);
    }
  }
}

interface Row {
  readonly name: string;
  readonly state: string;
  readonly since: string;
  readonly watson: string;
}

async function rows(served: ServedInMemory): Promise<Row[]> {
  return (await served.get("/v1/instances")).body["instances"] as Row[];
}

/** `a live of vm1`: the instances as a directory has them. */
async function shown(served: ServedInMemory): Promise<string> {
  return (await rows(served)).map(({ name, state, watson }) => `${name} ${state} of ${watson}`).join(", ");
}

const both = async (directories: readonly ServedInMemory[], wanted: string): Promise<void> => {
  for (const served of directories) await eventually(async () => expect(await shown(served)).toBe(wanted));
};

test("what is registered at one directory is known at the other, alike in all that it says", async () => {
  const [a, b] = await startTwo();
  const { client } = await watsonOf(a, "vm1", [registration("x@1:1"), registration("x@2:1")]);
  await both([a, b], "1 live of vm1, 2 live of vm1");
  expect(await rows(b)).toEqual(await rows(a));
  client.send({ type: "update", seq: 2, instances: [registration("x@1:1", { state: "down" })], gone: ["x@2"] });
  await both([a, b], "1 down of vm1");
  expect(await rows(b)).toEqual(await rows(a));
});

test("a Watson that moves keeps its instances, and nobody ever sees one missing", async () => {
  const [a, b] = await startTwo();
  const set: Registration[] = [registration("x@1"), registration("x@2")];
  let client = (await watsonOf(a, "vm1", set)).client;
  await both([a, b], "1 live of vm1, 2 live of vm1");
  const seen = new Set<number>();
  const moving = new AbortController();
  const looking = (async () => {
    while (!moving.signal.aborted) for (const served of [a, b]) seen.add((await rows(served)).length);
  })();
  for (const to of [b, a, b, a, b]) {
    client.socket.terminate();
    client = (await watsonOf(to, "vm1", set)).client;
    await both([a, b], "1 live of vm1, 2 live of vm1");
  }
  moving.abort();
  await looking;
  expect([...seen]).toEqual([2]);
});

test("a Watson out of sight is so at both, and its instances end with its lease", async () => {
  const [a, b] = await startTwo({ leaseMs: 1_000 });
  const { client } = await watsonOf(a, "vm1", [registration("x@1")]);
  await both([a, b], "1 live of vm1");
  client.socket.terminate();
  await both([a, b], "1 lost of vm1");
  await both([a, b], "");
});

test("the Watsons of a directory that is gone are out of sight after a while, and one that comes to the other is not", async () => {
  const [a, b] = await startTwo({ leaseMs: 2_000 });
  await watsonOf(a, "vm1", [registration("x@1")]);
  await watsonOf(a, "vm2", [registration("x@2")]);
  await both([b], "1 live of vm1, 2 live of vm2");
  await end(a);
  await watsonOf(b, "vm2", [registration("x@2")]);
  expect(await shown(b)).toBe("1 live of vm1, 2 live of vm2");
  await both([b], "1 lost of vm1, 2 live of vm2");
  await both([b], "2 live of vm2");
});

test("a Watson that is alive at one directory is refused at the other by name", async () => {
  const [a, b] = await startTwo();
  await watsonOf(a, "vm1", [registration("x@1")]);
  await both([a, b], "1 live of vm1");
  const rival = await b.link();
  const hello = {
    type: "hello",
    link: { min: 1, max: 1 },
    kind: "watson",
    name: "vm9",
    id: "identity-of-vm1",
    version: "1",
  };
  rival.send(hello);
  const { code, message, fatal } = await rival.next("error");
  expect({ code, fatal }).toEqual({ code: "conflict", fatal: true });
  expect(message).toContain("one on vm1 is connected");
  expect(await shown(b)).toBe("1 live of vm1");
});

test("an instance that a Watson of the other directory holds is refused by name", async () => {
  const [a, b] = await startTwo();
  await watsonOf(a, "vm1", [registration("x@1")]);
  await both([a, b], "1 live of vm1");
  const { registered } = await watsonOf(b, "vm2", [registration("x@1"), registration("x@2")]);
  expect(registered.refused).toMatchObject([{ instance: "x@1", code: "conflict" }]);
  await both([a, b], "1 live of vm1, 2 live of vm2");
});

test("of two Watsons that register one instance at once one holds it, and the other has to state its set again", async () => {
  const [a, b] = await startTwo();
  /** Registers, and tells how many instances were refused: none, too, where the link was cut instead of an answer. */
  const register = async (served: ServedInMemory, name: string) => {
    const client = await served.link();
    client.send(hello("watson", name));
    await client.next("welcome");
    client.send({ type: "register", seq: 1, instances: [registration("x@1")] });
    const answered = client.next("registered").then(({ refused }) => refused.length);
    return { client, refused: await Promise.race([answered, client.closed().then(() => 0)]) };
  };
  const clients = await Promise.all([register(a, "vm1"), register(b, "vm2")]);
  await eventually(async () => {
    const seen = await shown(a);
    expect(seen).toMatch(/^1 live of vm[12]$/);
    expect(await shown(b)).toBe(seen);
  });
  const loser = (await shown(a)).endsWith("vm1") ? clients[1] : clients[0];
  if (loser.refused === 0) expect(await loser.client.closed()).toBe(1012);
});

test("a drain at one directory is told to the Watson at the other", async () => {
  const [a, b] = await startTwo();
  const { client } = await watsonOf(a, "vm1", [registration("x@1")]);
  await both([a, b], "1 live of vm1");
  await b.send("POST", "/v1/instances/drain", { instance: "//x@1" });
  expect((await client.next("draining")).instances).toEqual(["x@1"]);
  await both([a, b], "1 draining of vm1");
});

test("changes made at both at once are all made, and the history is one", async () => {
  const [a, b] = await startTwo();
  await watsonOf(a, "vm1", [registration("x@1:1"), registration("x@2:2")]);
  await both([a, b], "1 live of vm1, 2 live of vm1");
  const made = Array.from({ length: 20 }, (_, i) =>
    (i % 2 === 0 ? a : b).send("POST", "/v1/routes", { source: `//m${i}`, target: "//x(2)", percent: 10, ahead: true }),
  );
  expect((await Promise.all(made)).map(({ status }) => status)).toEqual(made.map(() => 200));
  await eventually(async () => {
    const [one, other] = await Promise.all([a, b].map((served) => served.get("/v1/routes/history")));
    expect(one?.body["history"]).toHaveLength(20);
    expect(other?.body["history"]).toEqual(one?.body["history"]);
  });
});

interface Stamped {
  readonly epoch: string;
  readonly revision: number;
}

/** What a subscriber has that has followed a directory until now. */
async function followed(served: ServedInMemory) {
  const { epoch, revision, ...content } = (await served.get("/v1/table")).body as unknown as TableChange & Stamped;
  const table = new Catalog();
  table.apply(content);
  const { services, instances, tables } = table.size;
  const sectors = table.buckets(bucketsFor(services + instances + tables));
  return { table, have: { epoch, revision, hash: table.hash(), sectors } };
}

/** What a directory sends first to a subscriber that comes from another one. */
async function resumed(served: ServedInMemory, have: object) {
  const client = await sherlockOf(served, "mover", { services: null, have });
  return client.next(["snapshot", "delta"]);
}

test("a subscriber that moves on is told that it has missed nothing, whatever has happened before", async () => {
  const [a, b] = await startTwo();
  const set = [registration("x@1:1"), registration("x@2:2"), registration("x@3:2", { state: "down", reason: "sick" })];
  await watsonOf(a, "vm1", set);
  const lost = await watsonOf(a, "vm2", [registration("y@1")]);
  await a.send("POST", "/v1/routes", { source: "//m", target: "//x(2)", percent: 10, ahead: true });
  await a.send("POST", "/v1/instances/drain", { instance: "//x@1" });
  lost.client.socket.terminate();
  await both([a, b], "1 draining of vm1, 2 live of vm1, 3 down of vm1, 1 lost of vm2");
  const { have } = await followed(a);
  await eventually(async () => expect((await followed(b)).have.hash).toBe(have.hash));
  const first = await resumed(b, have);
  expect(first).toMatchObject({ type: "delta", change: { instances: [] }, hash: have.hash });
});

test("a subscriber that moves on while much changes gets what it lacks, and no more", async () => {
  const [a, b] = await startTwo();
  const many = Array.from({ length: 1_000 }, (_, i) => registration(`x@i${i}`));
  const { client } = await watsonOf(a, "vm1", many);
  await eventually(async () => expect((await followed(b)).table.size.instances).toBe(1_000));
  // A table of the subscriber's own: that of the one directory, with a word that never came to the other.
  const { table, have } = await followed(a);
  table.apply({ ...emptyChange(), services: [serviceSchema.parse({ name: "never", primary: "1" })] });
  const own = { ...have, hash: table.hash(), sectors: table.buckets(have.sectors.length / 8) };
  client.send({ type: "update", seq: 2, instances: [registration("x@i7", { state: "down" })], gone: ["x@i8"] });
  await client.next("registered");
  await eventually(async () => expect((await followed(b)).table.size.instances).toBe(999));
  const first = await resumed(b, own);
  if (first.type !== "snapshot") throw new Error("wanted some sectors");
  expect(first.instances.length).toBeLessThan(200);
  table.apply(table.changeTo({ ...first, gone: emptyChange().gone }, first.sectors));
  expect(table.hash()).toBe((await followed(b)).have.hash);
});

test("a directory that starts shows what another one sees as live, from the first moment", async () => {
  const a = await start();
  await watsonOf(a, "vm1", [registration("x@1")]);
  await eventually(async () => expect(etcd.keysOf("watsons").length).toBe(1));
  const { have } = await followed(a);
  const b = await start();
  expect(await shown(b)).toBe("1 live of vm1");
  expect(await resumed(b, have)).toMatchObject({ type: "delta", hash: have.hash, change: { instances: [] } });
});

test("directories that have all been away show what was live as live, until its lease ends", async () => {
  const a = await start({ leaseMs: 3_000 });
  await watsonOf(a, "vm1", [registration("x@1")]);
  const lost = await watsonOf(a, "vm2", [registration("x@2")]);
  lost.client.socket.terminate();
  await both([a], "1 live of vm1, 2 lost of vm2");
  await end(a);
  // As if so much time had gone by that nothing of the directory is left.
  etcd.remove(etcd.keysOf("replicas"));
  const [b, c] = [await start({ leaseMs: 3_000 }), await start({ leaseMs: 3_000 })];
  for (const served of [b, c]) expect(await shown(served)).toBe("1 live of vm1, 2 lost of vm2");
  await both([b, c], "");
});

test("Sherlocks get one key for the cookies of sessions at all directories, also where those start at once", async () => {
  const both = await Promise.all([start(), start()]);
  const keys = await Promise.all(
    both.map(async (served, i) => {
      const client = await served.link();
      client.send(hello("sherlock", `s${i}`, { subscribe: { services: null, have: null } }));
      return (await client.next("welcome")).sessionKey;
    }),
  );
  expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(keys[1]).toBe(keys[0]);
});
