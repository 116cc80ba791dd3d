import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { ENVIRONMENTS_MAX, type Realm } from "../store/realm.ts";
import type { Tenant } from "./tenant.ts";
import { Tenants } from "./tenants.ts";
import { about, connectOriginal } from "../testing/original.ts";
import { hello, type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

const open: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of open.splice(0).toReversed()) await end();
});

async function start(config: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const served = await serve(config);
  open.push(() => served.stop());
  return served;
}

async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "datawire-environments-"));
  open.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A library in an environment that has registered something and follows the table. */
async function libraryIn(served: Served, environment: string, instance: string) {
  const client = await served.link();
  const subscribe = { services: null, have: null };
  client.send(hello("library", `app-${environment}`, { id: `library-${environment}`, environment, subscribe }));
  await client.next("welcome");
  client.send({ type: "register", seq: 1, instances: [registration(instance)] });
  await client.next("registered");
  return client;
}

const namesIn = async (served: Served, environment: string | null): Promise<string[]> => {
  const query = environment === null ? "" : `?environment=${environment}`;
  const services = (await served.get(`/v1/services${query}`)).body["services"] as {
    service: string;
    instances: { name: string }[];
  }[];
  return services.flatMap(({ service, instances }) => instances.map(({ name }) => `${service}@${name}`)).toSorted();
};

test("environments have services, routes and primaries of their own", async () => {
  const served = await start();
  await watsonOf(served, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  await libraryIn(served, "staging", "barker@s:2");
  expect(await namesIn(served, null)).toEqual(["barker@a", "barker@b"]);
  expect(await namesIn(served, "sandbox")).toEqual(["barker@a", "barker@b"]);
  expect(await namesIn(served, "staging")).toEqual(["barker@s"]);
  const route = { source: "//*", target: "//barker(2)", percent: 30 };
  expect((await served.send("POST", "/v1/routes?environment=staging", route)).status).toBe(200);
  expect((await served.get("/v1/routes")).body["routes"]).toEqual([]);
  expect((await served.get("/v1/routes?environment=staging")).body["routes"]).toMatchObject([{ percent: 30 }]);
  expect((await served.send("POST", "/v1/routes/undo", {})).status).toBe(409);
  expect((await served.send("POST", "/v1/routes/undo?environment=staging", {})).status).toBe(200);
  const sherlock = await sherlockOf(served, "monolith");
  expect((await sherlock.next("snapshot")).instances.map(({ name }) => name)).toEqual(["a", "b"]);
  const primaries = async (query: string) =>
    ((await served.get(`/v1/services${query}`)).body["services"] as { primary: string }[]).map(
      ({ primary }) => primary,
    );
  expect(await primaries("")).toEqual(["1"]);
  expect(await primaries("?environment=staging")).toEqual(["2"]);
});

test("an environment is there after a restart as it was, and records from before environments are those of the usual one", async () => {
  const folder = await tempFolder();
  const before = await serve({ folder });
  await before.send("POST", "/v1/services", { service: "//old", primary: "1" });
  await before.send("POST", "/v1/services?environment=staging", { service: "//new", primary: "1" });
  await before.stop();
  expect(await readdir(join(folder, "environments"))).toEqual(["staging"]);
  const after = await start({ folder, environment: "sandbox" });
  const declared = async (query: string) =>
    ((await after.get(`/v1/services${query}`)).body["services"] as { service: string }[]).map(({ service }) => service);
  expect(await declared("")).toEqual(["old"]);
  expect(await declared("?environment=sandbox")).toEqual(["old"]);
  expect(await declared("?environment=staging")).toEqual(["new"]);
});

test("the usual environment has the name that directory.yaml gives it", async () => {
  const served = await start({ environment: "prod" });
  await watsonOf(served, "vm1", [registration("barker@a:1")]);
  expect(await namesIn(served, "prod")).toEqual(["barker@a"]);
  expect(await namesIn(served, "sandbox")).toEqual([]);
  const original = await connectOriginal(served.port, { environment: "prod" });
  open.push(() => original.socket.terminate());
  expect(await original.next("active")).toMatchObject({ node: { environment: { name: "prod" } } });
});

test("a look at an environment that is not there shows nothing and makes nothing", async () => {
  const folder = await tempFolder();
  const served = await start({ folder });
  for (const path of ["/v1/services", "/v1/routes", "/v1/status", "/v1/callers"])
    expect((await served.get(`${path}?environment=typo`)).status).toBe(200);
  expect(await namesIn(served, "typo")).toEqual([]);
  expect(await readdir(folder)).not.toContain("environments");
  const refused = await served.get("/v1/services?environment=No%20Name");
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([
    400,
    expect.stringContaining("as an environment name"),
  ]);
});

test.each([
  ["a dry run in its query", "POST", "/v1/services?dryRun=true&", { service: "//new" }, 200],
  ["a dry run in its body", "POST", "/v1/services?", { service: "//new", dryRun: true }, 200],
  ["a dry run of what ends a service", "DELETE", "/v1/services/new?dryRun=true&", {}, 404],
  ["a change that is refused", "POST", "/v1/routes?", { source: "//*", target: "//typo(2)", percent: 5 }, 404],
  ["an undo where nothing was done", "POST", "/v1/routes/undo?", {}, 409],
  ["what cannot be read", "POST", "/v1/services?", { service: 3 }, 400],
  ["a page that there is not", "POST", "/v1/nothing?", {}, 404],
])("%s makes no environment", async (_, method, path, body, status) => {
  const folder = await tempFolder();
  const served = await start({ folder });
  const answer = await served.send(method, `${path}environment=typo`, body);
  expect(answer).toMatchObject({ status });
  expect(await readdir(folder)).not.toContain("environments");
});

test("the first change that is kept makes the environment, once", async () => {
  const folder = await tempFolder();
  const served = await start({ folder });
  const add = { service: "//new", primary: "1" };
  const both = [1, 2].map(() => served.send("POST", "/v1/services?environment=staging", add));
  expect((await Promise.all(both)).map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  expect(await readdir(join(folder, "environments"))).toEqual(["staging"]);
  const { history } = (await served.get("/v1/routes/history?environment=staging")).body;
  expect(history).toHaveLength(1);
});

test("a link that names an environment which is not there makes none, and is told of it once it is there", async () => {
  const folder = await tempFolder();
  const served = await start({ folder });
  const follower = await served.link();
  const subscribe = { services: null, have: null };
  follower.send(hello("library", "reader", { environment: "staging", subscribe }));
  expect(await follower.next("snapshot")).toMatchObject({ instances: [], warming: false });
  follower.send({ type: "register", seq: 1, instances: [] });
  await follower.next("registered");
  expect(await readdir(folder)).not.toContain("environments");
  await libraryIn(served, "staging", "barker@s:1");
  await follower.next("snapshot");
  expect((await follower.next("delta")).change.instances).toMatchObject([{ service: "barker", name: "s" }]);
  const callers = (await served.get("/v1/callers?environment=staging")).body["callers"];
  expect(callers).toMatchObject([{ name: "app-staging" }, { name: "reader" }]);
});

test("a tenant has no more environments than the bound, and those that are there go on", async () => {
  const opened: string[] = [];
  const make = async ({ environment }: Realm) => {
    opened.push(environment ?? "");
    return { configure() {} } as unknown as Tenant;
  };
  const stored = Array.from({ length: ENVIRONMENTS_MAX - 1 }, (_, i) => `e${i}`);
  const environments = { usual: "sandbox", stored: () => Promise.resolve(stored), opened() {} };
  const tenants = new Tenants(make, () => {}, environments);
  const results = await Promise.allSettled(["a", "b", "c"].map((name) => tenants.of(null, name)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  await expect(tenants.of(null, "d")).rejects.toMatchObject({ code: "limit_exceeded" });
  await tenants.of(null, "e0");
  await tenants.of(null, "sandbox");
  await tenants.of("acme", "d");
  expect(opened).toEqual(["a", "e0", "", "d"]);
});

test("a link in an environment that cannot be opened is refused with the reason", async () => {
  const folder = await tempFolder();
  const served = await start({ folder });
  await mkdir(join(folder, "environments"), { mode: 0o700 });
  await writeFile(join(folder, "environments", "bad"), "no folder");
  const client = await served.link();
  client.send(hello("library", "shop", { environment: "bad", subscribe: { services: null, have: null } }));
  expect(await client.next("error")).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("environment bad") as string,
    fatal: true,
  });
});

test("originals are told of all environments, those too that come later, and each node is in its own", async () => {
  const served = await start();
  await libraryIn(served, "staging", "barker@s:1");
  const original = await connectOriginal(served.port, { environment: "blue" });
  open.push(() => original.socket.terminate());
  expect(await original.next(about("active", "barker"))).toMatchObject({ node: { environment: { name: "staging" } } });
  original.active({ service: "mine", address: "http://127.0.0.1:1" });
  expect(await original.next(about("active", "mine"))).toMatchObject({ node: { environment: { name: "blue" } } });
  expect(await namesIn(served, "blue")).toEqual(["mine@127.0.0.1-1"]);
  original.active({ service: "other", address: "http://127.0.0.1:2", environment: "green" });
  expect(await original.next(about("active", "other"))).toMatchObject({ node: { environment: { name: "green" } } });
  await libraryIn(served, "later", "barker@l:1");
  const isLater = about("active", "barker");
  expect(await original.next((frame) => isLater(frame) && frame.node?.id === "l")).toMatchObject({
    node: { environment: { name: "later" } },
  });
  expect(await namesIn(served, null)).toEqual([]);
});

test("a backup has all environments, and a restore brings them back and empties those that it lacks", async () => {
  const served = await start();
  const declare = (query: string, service: string) =>
    served.send("POST", `/v1/services${query}`, { service: `//${service}` });
  const declared = async (query: string) =>
    ((await served.get(`/v1/services${query}`)).body["services"] as { service: string }[]).map(
      ({ service }) => service,
    );
  await declare("", "own");
  await declare("?environment=staging", "staged");
  const backup = Buffer.from(await (await fetch(`http://127.0.0.1:${served.port}/v1/backup`)).arrayBuffer());
  expect(backup.toString()).toContain('{"tenant":"/staging"}');
  await declare("?environment=staging", "later");
  await declare("?environment=other", "later");
  const restored = await fetch(`http://127.0.0.1:${served.port}/v1/restore`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: backup,
  });
  expect(restored.status).toBe(200);
  expect(await declared("")).toEqual(["own"]);
  expect(await declared("?environment=staging")).toEqual(["staged"]);
  expect(await declared("?environment=other")).toEqual([]);
});

test("originals make no environment by being in it, and go on where one cannot be opened", async () => {
  const folder = await tempFolder();
  const served = await start({ folder });
  await mkdir(join(folder, "environments"), { mode: 0o700 });
  await writeFile(join(folder, "environments", "bad"), "no folder");
  await watsonOf(served, "vm1", [registration("barker@a:1")]);
  const original = await connectOriginal(served.port, { environment: "blue" });
  open.push(() => original.socket.terminate());
  expect(await original.next("active")).toMatchObject({ node: { service: "barker" } });
  original.expire({ service: "mine", address: "http://127.0.0.1:1" });
  original.active({ service: "mine", address: "http://127.0.0.1:1", environment: "bad" });
  original.active({ service: "mine", address: "http://127.0.0.1:2", environment: "sandbox" });
  expect(await original.next(about("active", "mine"))).toMatchObject({ node: { environment: { name: "sandbox" } } });
  expect(await readdir(join(folder, "environments"))).toEqual(["bad"]);
  const problems = (await served.get("/v1/status")).body["problems"] as { subject: string; message: string }[];
  expect(problems.find(({ subject }) => subject.startsWith("node mine"))?.message).toContain("environment bad");
});
