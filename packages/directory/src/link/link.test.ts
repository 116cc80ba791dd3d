import { Catalog } from "@datawire/catalog";
import { tableChangeSchema } from "@datawire/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SessionRegistry } from "./clients/session-registry.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { hello, sherlockOf, watsonOf } from "../testing/served.ts";
import { type ServedInMemory, serveInMemory } from "../testing/memory/served-in-memory.ts";
import { registration } from "../testing/worlds.ts";

const running: ServedInMemory[] = [];
const start = async (config: Parameters<typeof serveInMemory>[0] = {}): Promise<ServedInMemory> => {
  const served = await serveInMemory(config);
  running.push(served);
  return served;
};
afterEach(() => Promise.all(running.splice(0).map((served) => served.stop())));

test("a subscriber gets the table, then what Watsons say", async () => {
  const served = await start();
  const sherlock = await sherlockOf(served, "monolith");
  expect(await sherlock.next("snapshot")).toMatchObject({ revision: 0, last: true, warming: true, instances: [] });
  const { client } = await watsonOf(served, "vm1", [registration("barker@a:1")]);
  const delta = await sherlock.next("delta");
  expect(delta).toMatchObject({ from: 0, revision: 1, change: { services: [{ name: "barker", primary: "1" }] } });
  client.send({ type: "update", seq: 2, instances: [], gone: ["barker@a"] });
  expect(await client.next("registered")).toMatchObject({ seq: 2, refused: [] });
  expect(await sherlock.next("delta")).toMatchObject({ change: { gone: { instances: ["barker@a"] } } });
});

test("a Watson that breaks off leaves its instances lost, and one that says so takes them with it", async () => {
  const served = await start();
  const { client } = await watsonOf(served, "vm1", [registration("barker@a")]);
  const sherlock = await sherlockOf(served, "monolith");
  client.socket.terminate();
  expect((await sherlock.next("delta")).change.instances).toMatchObject([{ name: "a", state: "lost" }]);
  const again = await watsonOf(served, "vm1", []);
  expect((await sherlock.next("delta")).change.gone).toMatchObject({ services: ["barker"], instances: ["barker@a"] });
  again.client.socket.close();
  await expect.poll(async () => (await served.get("/v1/status")).body["watsons"]).toEqual([]);
});

test("a library follows the table and registers over one link, and holds nothing before it has", async () => {
  const served = await start();
  const library = await served.link();
  const subscribe = { services: null, have: null };
  library.send(hello("library", "shop", { id: "library-of-shop", environment: "sandbox", subscribe }));
  await library.next("snapshot");
  const registrations = async () => (await served.get("/v1/status")).body["watsons"];
  expect(await registrations()).toEqual([]);
  library.send({ type: "register", seq: 0, instances: [registration("shop@a:1")] });
  expect((await library.next("delta")).change.instances).toMatchObject([{ service: "shop", name: "a", state: "live" }]);
  expect(await registrations()).toMatchObject([{ name: "shop", instances: 1 }]);
  library.socket.terminate();
  const sherlock = await sherlockOf(served, "monolith");
  expect((await sherlock.next("snapshot")).instances).toMatchObject([{ name: "a", state: "lost" }]);
});

test("a lost instance goes when its lease ends", async () => {
  const served = await start({ leaseMs: 300 });
  const { client } = await watsonOf(served, "vm1", [registration("barker@a")]);
  client.socket.terminate();
  const sherlock = await sherlockOf(served, "monolith");
  expect((await sherlock.next("delta")).change).toMatchObject({ gone: { instances: ["barker@a"] } });
});

test("a client that goes on answering pings stays for longer than a lease, and is told when the warm-up is over", async () => {
  const served = await start({ leaseMs: 200 });
  await watsonOf(served, "vm1", [registration("barker@a")]);
  const sherlock = await sherlockOf(served, "monolith");
  await sherlock.next("warm");
  await sherlock.socket.pinged();
  await sherlock.socket.pinged();
  const { body } = await served.get("/v1/services");
  expect(body["services"]).toMatchObject([{ service: "barker", status: "live" }]);
});

test("a restart restores what was registered as it was, and each Watson brings its own back", async () => {
  const store = new MemoryStore();
  const first = await serveInMemory({ store });
  await watsonOf(first, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  await first.send("POST", "/v1/routes", { source: "//m", target: "//barker(2)", percent: 10 });
  const before = new Catalog();
  before.apply(tableChangeSchema.parse((await first.get("/v1/table")).body));
  await first.stop();
  const second = await start({ store });
  const have = { epoch: "before", revision: 7, hash: before.hash() };
  const returning = await sherlockOf(second, "returning", { services: null, have });
  expect(await returning.next("delta")).toMatchObject({ from: 0, revision: 0, hash: have.hash });
  const sherlock = await sherlockOf(second, "monolith");
  const snapshot = await sherlock.next("snapshot");
  expect(snapshot).toMatchObject({ warming: true, services: [{ name: "barker" }], tables: [{ caller: "m" }] });
  expect(snapshot.instances.map(({ name, state }) => `${name} ${state}`)).toEqual(["a live", "b live"]);
  await watsonOf(second, "vm1", [registration("barker@b:2")]);
  const { change } = await sherlock.next("delta");
  expect(change).toMatchObject({ instances: [], gone: { instances: ["barker@a"] } });
});

test("a Watson with the id of a connected one is refused by name; the first one stays", async () => {
  const served = await start();
  await watsonOf(served, "vm1", [registration("barker@a")], "one-and-the-same");
  const rival = await served.link();
  rival.send(hello("watson", "vm2", { id: "one-and-the-same" }));
  expect(await rival.next("error")).toMatchObject({ code: "conflict", fatal: true, message: /vm2.*vm1/ });
  expect(await rival.closed()).toBe(1008);
  const { body } = await served.get("/v1/services");
  expect(body["services"]).toMatchObject([{ instances: [{ state: "live" }] }]);
});

test("a Watson whose old connection is dead without a word takes over long before its lease ends", async () => {
  const served = await start({ leaseMs: 3_600_000 });
  const { client } = await watsonOf(served, "vm1", [registration("barker@a")]);
  client.socket.pause(); // as if its packets went nowhere: it answers no ping
  const { registered } = await watsonOf(served, "vm1", [registration("barker@a"), registration("barker@b")]);
  expect(registered.refused).toEqual([]);
});

test.each([
  ["garbage", "}{", 1002, "invalid_argument", /no JSON/],
  ["register first", { type: "register", seq: 1, instances: [] }, 1002, "invalid_argument", /before hello/],
  ["no type", {}, 1002, "unsupported", /it has no type/],
  ["a link that is too new", hello("dw", "me", { link: { min: 7, max: 9 } }), 1002, "unsupported", /versions 7 to 9/],
  ["a bad name", hello("dw", "Ann B"), 1002, "invalid_argument", /name is "Ann B": wanted/],
])("a client that begins with %s is told why and closed", async (_, message, code, error, text) => {
  const client = await (await start()).link();
  client.send(message);
  expect(await client.next("error")).toMatchObject({ code: error, fatal: true, message: expect.stringMatching(text) });
  expect(await client.closed()).toBe(code);
});

test.each([
  ["an unknown type", { type: "dance" }, "unsupported", /its type is "dance"/],
  [
    "a field that is wrong",
    { type: "applied", epoch: "e", revision: "9" },
    "invalid_argument",
    /revision is "9": in quotes it is text; wanted/,
  ],
  ["a second hello", hello("sherlock", "m"), "invalid_argument", /second hello/],
  ["instances", { type: "register", seq: 1, instances: [] }, "permission_denied", /for a sherlock/],
])("a client that sends %s is told why, and the link goes on", async (_, message, code, text) => {
  const served = await start();
  const client = await sherlockOf(served, "m");
  client.send(message);
  expect(await client.next("error")).toMatchObject({ code, fatal: false, message: expect.stringMatching(text) });
  client.send({ type: "applied", epoch: "e", revision: 3, unknownField: true, problems: [] });
  await expect.poll(async () => (await served.get("/v1/callers")).body["callers"]).toMatchObject([{ revision: 3 }]);
});

/** What every object has, and a table of messages must not find. */
const INHERITED = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf", "isPrototypeOf"];

test.each(INHERITED)("a message of type %s is unknown, before hello and after it", async (type) => {
  const served = await start();
  const stranger = await served.link();
  stranger.send({ type });
  expect(await stranger.next("error")).toMatchObject({ code: "unsupported", fatal: true });
  expect(await stranger.closed()).toBe(1002);
  const client = await sherlockOf(served, "m");
  client.send(`{"type":"${type}"}`);
  expect(await client.next("error")).toMatchObject({ code: "unsupported", fatal: false });
  expect((await served.get("/healthz")).status).toBe(200);
});

test.each([
  ["count", { type: "counters", periodMs: 1, counters: [] }],
  ["register", { type: "register", seq: 1, instances: [] }],
] as const)(
  "a message at which the directory fails, in %s, costs its own link and is shown",
  async (method, message) => {
    const served = await start();
    const good = await sherlockOf(served, "good");
    await good.next("snapshot");
    const broken = vi.spyOn(SessionRegistry.prototype, method).mockImplementation(() => {
      throw new TypeError("schema.safeParse is not a function");
    });
    const client = await served.link();
    client.send(hello("watson", "vm1"));
    await client.next("welcome");
    client.send(message);
    expect(await client.next("error")).toMatchObject({ code: "internal", fatal: false });
    expect(await client.closed()).toBe(1011);
    broken.mockRestore();
    await watsonOf(served, "vm2", [registration("barker@a")]);
    expect(await good.next("delta")).toMatchObject({ change: { instances: [{ name: "a" }] } });
    expect((await served.get("/v1/status")).body["problems"]).toEqual([
      {
        severity: "error",
        subject: "link of watson vm1",
        message: expect.stringMatching(/schema\.safeParse is not a function \(last at .*Z\)$/),
        remedy: expect.stringContaining("log"),
      },
    ]);
  },
);

test("a client whose leaving fails is gone all the same", async () => {
  const served = await start();
  const broken = vi.spyOn(SessionRegistry.prototype, "leave").mockImplementationOnce(() => {
    throw new TypeError("leave is not possible");
  });
  const client = await sherlockOf(served, "m");
  client.socket.close();
  await client.closed();
  await expect
    .poll(async () => JSON.stringify((await served.get("/v1/status")).body["problems"]))
    .toContain("leave is not");
  broken.mockRestore();
});

test("one instance that cannot be read does not take the others with it", async () => {
  const served = await start();
  const bad = { ...registration("barker@b"), weight: 0 };
  const { registered } = await watsonOf(served, "vm1", [registration("barker@a"), bad, "what"]);
  expect(registered.refused).toMatchObject([
    { instance: "barker@b", message: expect.stringContaining("weight is 0: wanted") },
    { instance: "instances[2]" },
  ]);
});

test("a drain reaches the Watson that holds the instance, also after it connects again", async () => {
  const served = await start();
  const { client } = await watsonOf(served, "vm1", [registration("barker@a")]);
  const { body } = await served.send("POST", "/v1/instances/drain", { instance: "//barker@a" });
  expect(body).toMatchObject({ changed: true, instance: "//barker@a" });
  expect(await client.next("draining")).toMatchObject({ instances: ["barker@a"] });
  client.socket.terminate();
  const again = await watsonOf(served, "vm1", [registration("barker@a")]);
  expect(again.draining).toMatchObject({ instances: ["barker@a"] });
  again.client.send({ type: "update", seq: 2, instances: [registration("barker@a", { weight: 7 })], gone: [] });
  expect(await again.client.next("draining")).toMatchObject({ instances: ["barker@a"] });
  await served.send("POST", "/v1/instances/resume", { instance: "//barker@a" });
  expect(await again.client.next("draining")).toMatchObject({ instances: [] });
});

test("a Watson that missed a resume is told when it states its set", async () => {
  const served = await start();
  const { draining } = await watsonOf(served, "vm1", [registration("barker@a", { state: "draining" })]);
  expect(draining).toMatchObject({ instances: [] });
});

test("a subscriber that returns gets only what it missed", async () => {
  const served = await start();
  const first = await sherlockOf(served, "m");
  const { epoch, revision } = await first.next("snapshot");
  first.socket.close();
  await watsonOf(served, "vm1", [registration("barker@a")]);
  const second = await sherlockOf(served, "m", { services: null, have: { epoch, revision } });
  expect(await second.next("delta")).toMatchObject({ from: revision, change: { instances: [{ name: "a" }] } });
});

test("a directory that stops says good-bye to its clients", async () => {
  const served = await serveInMemory();
  const sherlock = await sherlockOf(served, "m");
  await served.stop();
  expect(await sherlock.closed()).toBe(1001);
});

test("Sherlocks alone are given the key of the cookies of sessions, the same after a restart", async () => {
  const store = new MemoryStore();
  const first = await serveInMemory({ store });
  const keyFor = async (served: ServedInMemory, kind: "sherlock" | "dw"): Promise<string | undefined> => {
    const client = await served.link();
    client.send(hello(kind, kind, { subscribe: { services: null, have: null } }));
    return (await client.next("welcome")).sessionKey;
  };
  const key = await keyFor(first, "sherlock");
  expect(key).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(await keyFor(first, "dw")).toBeUndefined();
  await first.stop();
  const second = await start({ store });
  expect(await keyFor(second, "sherlock")).toBe(key);
});

describe("what is refused is told to operators", () => {
  const problems = async (served: ServedInMemory) =>
    (await served.get("/v1/status")).body["problems"] as { subject: string; message: string; remedy: string }[];

  test("an instance that another connected Watson holds, until it is registered or taken back", async () => {
    const served = await start();
    await watsonOf(served, "vm1", [registration("foo@one")]);
    const { client } = await watsonOf(served, "vm2", [registration("foo@one"), registration("foo@two")]);
    expect(await problems(served)).toMatchObject([
      {
        severity: "error",
        subject: "watson vm2: //foo@one",
        message: expect.stringContaining("the Watson on vm1 holds an instance of that name") as string,
        remedy: expect.stringContaining("instance:") as string,
      },
    ]);
    const { body } = await served.get("/v1/status");
    expect(body["watsons"]).toMatchObject([{ name: "vm1", problems: [] }, { problems: [{ subject: "//foo@one" }] }]);
    client.send({ type: "update", seq: 2, instances: [], gone: ["foo@one"] });
    await client.next("registered");
    expect(await problems(served)).toEqual([]);
  });

  test.each([
    ["a URL of its own machine alone is fine here", { url: "http://localhost:1" }, 0],
    ["one that cannot be read", { url: "ftp://h" }, 1],
  ])("%s", async (_, fields, expected) => {
    const served = await start();
    const { client } = await watsonOf(served, "vm1", [{ ...registration("foo@one"), ...fields }]);
    expect(await problems(served)).toHaveLength(expected);
    client.send({ type: "register", seq: 2, instances: [registration("foo@one")] });
    await client.next("registered");
    expect(await problems(served)).toEqual([]);
  });

  test("a message that was refused as a whole, until one of the kind is taken", async () => {
    const served = await start();
    const { client } = await watsonOf(served, "vm1", []);
    client.send({ type: "register", seq: 2, instances: "none" });
    await client.next("error");
    expect(await problems(served)).toMatchObject([{ subject: "watson vm1: link" }]);
    client.send({ type: "sing" });
    await client.next("error");
    client.send({ type: "register", seq: 3, instances: [] });
    await client.next("registered");
    expect(await problems(served)).toEqual([]);
  });

  test("a second Watson with the same id, until it comes with another one", async () => {
    const served = await start();
    await watsonOf(served, "vm1", [registration("foo@one")], "one-and-the-same");
    const copy = await served.link();
    copy.send(hello("watson", "vm2", { id: "one-and-the-same" }));
    expect(await copy.next("error")).toMatchObject({ fatal: true });
    expect(await problems(served)).toMatchObject([
      {
        severity: "warning",
        subject: "watson vm2",
        message: expect.stringContaining("one on vm1 is connected with the same id") as string,
        remedy: expect.stringContaining("state folder") as string,
      },
    ]);
    await watsonOf(served, "vm2", []);
    expect(await problems(served)).toEqual([]);
  });
});
