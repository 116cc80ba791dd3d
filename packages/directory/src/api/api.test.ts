import { request } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { hello, type Served, serve, sherlockOf, watsonOf } from "../testing/served.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { registration } from "../testing/worlds.ts";

let served: Served;
const store = new MemoryStore();

beforeAll(async () => {
  // It is warming in each test, however long the others take.
  served = await serve({ store, leaseMs: 600_000 });
  await watsonOf(served, "vm1", [
    registration("barker@a:1"),
    registration("barker@b:2"),
    registration("other@a", { protocol: "tcp" }),
  ]);
  const sherlock = await sherlockOf(served, "monolith");
  await sherlock.next("snapshot");
});
afterAll(() => served.stop());

const route = { source: "//monolith", target: "//barker(2)", percent: "10%" };

test("GET /healthz, /readyz and /metrics answer", async () => {
  expect(await served.get("/healthz")).toMatchObject({ status: 200 });
  expect(await served.get("/readyz")).toMatchObject({ status: 200 });
  const { body } = await served.get("/metrics");
  expect(body["text"]).toMatch(/datawire_directory_instances\{state="live"\} 3/);
  expect(body["text"]).toMatch(/datawire_directory_connections\{kind="watson"\} 1/);
});

test("GET /v1/services lists what is registered, and /v1/services/NAME shows one", async () => {
  const { body } = await served.get("/v1/services");
  expect(body["services"]).toMatchObject([
    { service: "barker", primary: "1", status: "live", instances: [{ role: "primary" }, { role: "held" }] },
    { service: "other", protocol: "tcp", primary: null },
  ]);
  const one = await served.get("/v1/services/barker");
  expect(one.body).toMatchObject({ service: { service: "barker" }, declared: false, settings: { failover: "any" } });
  expect(await served.get("/v1/services/nobody")).toMatchObject({
    status: 404,
    body: { error: { code: "not_found" } },
  });
  expect(await served.get("/v1/services/No%20body")).toMatchObject({ status: 400 });
});

test("a large answer is packed for who takes that, whatever endpoint it is of", async () => {
  const many = await serve();
  onTestFinished(() => many.stop());
  const instances = Array.from({ length: 300 }, (_, i) => registration(`barker-${i}@a:1`));
  await watsonOf(many, "vm1", instances);
  for (const path of ["/v1/services", "/v1/instances", "/v1/table"]) {
    const get = (encoding: string) =>
      fetch(`http://127.0.0.1:${many.port}${path}`, { headers: { "accept-encoding": encoding } });
    const [plain, packed] = [await get("identity"), await get("gzip")];
    expect([path, plain.headers.get("content-encoding"), packed.headers.get("content-encoding")]).toEqual([
      path,
      null,
      "gzip",
    ]);
    expect(Number(packed.headers.get("content-length"))).toBeLessThan(Number(plain.headers.get("content-length")) / 4);
    for (const answer of [plain, packed]) expect(JSON.stringify(await answer.json())).toContain('"barker-299"');
  }
});

test("of problems those that cost requests come first: a whole release may be held, and lists are cut", async () => {
  const many = await serve();
  onTestFinished(() => many.stop());
  const held = Array.from({ length: 510 }, (_, i) => [registration(`a${i}@one:1`), registration(`a${i}@two:2`)]).flat();
  const degraded = [registration("z@one:1"), registration("z@two:2", { state: "down", reason: "503" })];
  await watsonOf(many, "vm1", [...held, ...degraded]);
  expect(await many.send("POST", "/v1/services/z/promote", { generation: "2" })).toMatchObject({ status: 200 });
  const { body } = await many.get("/v1/status");
  const subjects = (body["problems"] as { subject: string }[]).map(({ subject }) => subject);
  expect(subjects.slice(0, 2)).toEqual(["//z", "//a0(2)"]);
  expect(subjects.length).toBeLessThan((body["counts"] as { problems: number }).problems);
});

test("a route is added, listed, explained, changed, undone and removed, each under the name that the header gives", async () => {
  const user = { "x-datawire-user": "ann@vm9" };
  const added = await served.send("POST", "/v1/routes", route, user);
  expect(added).toMatchObject({
    status: 200,
    body: {
      changed: true,
      notes: [],
      routes: [{ caller: "monolith", service: "barker", target: "//barker(2)", percent: 10, status: "active" }],
      distribution: { caller: "monolith", shares: [{ percent: 10 }, { target: "//barker", percent: 90 }] },
    },
  });
  expect((await served.send("POST", "/v1/routes", route)).body).toMatchObject({ changed: false });
  const { body } = await served.get("/v1/routes");
  expect(body).toMatchObject({ revision: added.body["revision"], routes: [{ percent: 10 }] });
  const explained = await served.get("/v1/explain?caller=monolith&service=barker&path=/x");
  expect(explained.body).toMatchObject({ explanation: { caller: "monolith", service: "barker" } });
  const distributions = (await served.get("/v1/distributions")).body["distributions"];
  expect(distributions).toMatchObject([
    { caller: "*", service: "barker" },
    { caller: "monolith", service: "barker" },
    { caller: "*", service: "other" },
  ]);
  const set = { source: "//monolith", targets: [{ target: "//barker(2)", percent: 30 }] };
  await served.send("PUT", "/v1/routes", set, user);
  const history = await served.get("/v1/routes/history?limit=1");
  expect(history.body["history"]).toMatchObject([
    { who: "ann@vm9", verified: false, undone: false, action: expect.stringContaining("route set //monolith") },
  ]);
  const undone = await served.send("POST", "/v1/routes/undo", {}, user);
  expect(undone.body).toMatchObject({ changed: true, undone: expect.stringContaining("route set") });
  expect((await served.get("/v1/routes")).body["routes"]).toMatchObject([{ percent: 10 }]);
  const removal = { source: "//monolith", target: "//barker(2)" };
  expect((await served.send("DELETE", "/v1/routes", removal)).body).toMatchObject({ changed: true, routes: [] });
});

test.each(["/beta/x", "beta/x", "/beta", "beta?y=1%23beta"])(
  "the path %s is explained as it is requested",
  async (path) => {
    const when = { source: "//*", target: "//barker(2)", when: "path:/beta" };
    expect((await served.send("POST", "/v1/routes", when)).status).toBe(200);
    const first = async (asked: string) => {
      const { body } = await served.get(`/v1/explain?service=barker&path=${asked}`);
      return (body["explanation"] as { shares: { target: string }[] }).shares[0]?.target;
    };
    expect([await first(path), await first("x%23/beta")]).toEqual(["//barker(2)", "//barker"]);
    await served.send("DELETE", "/v1/routes", { source: "//*", target: "//barker(2)" });
  },
);

test("a dry run shows what would be and changes nothing", async () => {
  const before = await served.get("/v1/table");
  const route50 = await served.send("POST", "/v1/routes", { ...route, percent: 50, dryRun: true });
  expect(route50.body).toMatchObject({
    changed: false,
    routes: [{ percent: 50 }],
    distribution: { shares: [{ percent: 50 }, { percent: 50 }] },
  });
  const promoted = await served.send("POST", "/v1/services/barker/promote", { generation: "2", dryRun: true });
  expect(promoted.body).toMatchObject({ changed: false, distribution: { shares: [{ instances: [{ name: "b" }] }] } });
  await served.send("POST", "/v1/services", { service: "//fresh", dryRun: true });
  expect(await served.get("/v1/table")).toEqual(before);
});

test.each([
  ["POST", "/v1/services?dryRun=true", { service: "//fresh" }],
  ["POST", "/v1/services?dryRun", { service: "//fresh" }],
  ["DELETE", "/v1/services/idle", { dryRun: true }],
  ["DELETE", "/v1/services/idle?dryRun=1", undefined],
  ["POST", "/v1/guard/release", { dryRun: true }],
])("%s %s with %o is a dry run, in the body or in the query", async (method, path, body) => {
  await served.send("POST", "/v1/services", { service: "//idle" });
  const before = await served.get("/v1/table");
  expect(await served.send(method, path, body)).toMatchObject({ status: 200, body: { changed: false } });
  expect(await served.get("/v1/table")).toEqual(before);
  await served.send("DELETE", "/v1/services/idle", {});
});

test("a service is added with settings, set, and removed; null is the default", async () => {
  const service = { service: "//fresh", primary: "3", defaultUrl: "http://fresh.example.com", retries: 2 };
  expect(await served.send("POST", "/v1/services", service)).toMatchObject({ status: 200, body: { changed: true } });
  await served.send("PUT", "/v1/services/fresh", { retries: null, failover: "none" });
  expect((await served.get("/v1/services/fresh")).body).toMatchObject({
    declared: true,
    service: { primary: "3" },
    settings: { retries: null, failover: "none", defaultUrl: "http://fresh.example.com" },
  });
  expect((await served.send("DELETE", "/v1/services/fresh", {})).status).toBe(200);
  expect((await served.get("/v1/services/fresh")).status).toBe(404);
});

test("GET /v1/status tells of Watsons, Sherlocks and problems", async () => {
  const { body } = await served.get("/v1/status");
  expect(body).toMatchObject({
    directory: { address: "//localhost/directory", state: "warming", store: "embedded", guard: null },
    watsons: [{ name: "vm1", state: "connected", instances: 3, problems: [] }],
    sherlocks: [{ name: "monolith", problems: [] }],
    counts: { services: 2, instances: 3 },
  });
});

test.each([
  ["GET", "/v1/nothing", undefined, 404, "not_found", "Cannot find /v1/nothing"],
  ["GET", "/v1/services/%2F%2Ffoo%2Fbarker", undefined, 400, "invalid_argument", "none of the directories"],
  ["POST", "/v1/services", { service: "//foo/fresh" }, 400, "invalid_argument", "none of the directories"],
  ["POST", "/v1/instances/drain", { instance: "//foo/barker@a" }, 400, "invalid_argument", "none of the directories"],
  ["GET", "/v1/link", undefined, 426, "unsupported", "wanted a request with Upgrade: websocket"],
  ["PUT", "/v1/explain", {}, 405, "unsupported", "wanted GET"],
  ["POST", "/v1/routes", { ...route, percent: "101%" }, 400, "invalid_argument", "more than 100%"],
  ["POST", "/v1/routes", { source: 7, target: "//barker(2)" }, 400, "invalid_argument", "source is 7: wanted"],
  ["POST", "/v1/routes", "{", 400, "invalid_argument", "no JSON"],
  // A change that was meant as a dry run must not be made.
  ["POST", "/v1/routes", { ...route, dryrun: true }, 400, "invalid_argument", "dryRun"],
  ["PUT", "/v1/services/barker", { retry: 2 }, 400, "invalid_argument", "retry is not a known key"],
  ["POST", "/v1/instances/drain", { instance: "//barker@a", dry_run: true }, 400, "invalid_argument", "dry_run"],
  ["DELETE", "/v1/services/barker?dryrun=true", {}, 400, "invalid_argument", "did you mean dryRun?"],
  ["DELETE", "/v1/services/barker?dryRun=yes", {}, 400, "invalid_argument", "wanted true or false"],
  ["POST", "/v1/routes?dry_run=1", route, 400, "invalid_argument", "did you mean dryRun?"],
  ["POST", "/v1/restore?dryRun=true", {}, 400, "invalid_argument", "is not known"],
  ["POST", "/v1/tokens", { role: "viewer", service: ["a"] }, 400, "invalid_argument", "service is not a known key"],
  ["POST", "/v1/routes", { ...route, target: "//barker(9)" }, 404, "not_found", "--ahead"],
  ["POST", "/v1/routes", { ...route, when: "x".repeat(600_000) }, 429, "limit_exceeded", "524288 bytes"],
  ["DELETE", "/v1/services/barker", {}, 409, "conflict", "2 of its instances are registered"],
  ["POST", "/v1/instances/drain", { instance: "//barker" }, 400, "invalid_argument", "wanted //SERVICE@INSTANCE"],
  ["GET", "/v1/explain", undefined, 400, "invalid_argument", "service=NAME"],
  ["GET", "/v1/routes/history?limit=x", undefined, 400, "invalid_argument", "limit"],
  // What a misspelt parameter should have narrowed must not be answered whole.
  ["GET", "/v1/explain?service=barker&header=x", undefined, 400, "invalid_argument", "did you mean headers?"],
  ["GET", "/v1/services?verbose", undefined, 400, "invalid_argument", '"verbose" in its query is not known'],
  ["GET", "/v1/routes?caller=monolith", undefined, 400, "invalid_argument", '"caller" in its query is not known'],
  ["GET", "/v1/stream?topic=status", undefined, 400, "invalid_argument", "did you mean topics?"],
  ["GET", "/v1/traces?services=barker", undefined, 400, "invalid_argument", '"services" in its query is not known'],
  ["GET", "/v1/routes/history?limit=1&limit=2", undefined, 400, "invalid_argument", '"limit" is in its query twice'],
])("%s %s with %o is refused with %i", async (method, path, body, status, code, message) => {
  const answer = body === undefined ? await served.get(path) : await served.send(method, path, body);
  expect(answer).toMatchObject({ status, body: { error: { code, message: expect.stringContaining(message) } } });
});

test("a body that is not declared as JSON is refused, as a form of another site may send it", async () => {
  const answer = await served.send("POST", "/v1/routes", route, { "content-type": "text/plain" });
  expect(answer).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining("application/json") } },
  });
});

test.each([
  [{ host: "evil.example.com" }, "Host"],
  [{ origin: "http://evil.example.com" }, "Origin"],
])("a request with %o is refused", async (headers, word) => {
  const status = await new Promise<[number, string]>((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port: served.port, path: "/v1/services", headers }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve([res.statusCode ?? 0, text]));
    });
    req.once("error", reject);
    req.end();
  });
  expect(status).toEqual([403, expect.stringContaining(word)]);
});

test("a change that the store cannot write is answered with 503 and not made, and the directory says so", async () => {
  store.failing = true;
  const answer = await served.send("POST", "/v1/routes", route);
  expect(await served.get("/readyz")).toMatchObject({
    status: 200,
    body: { text: "ready, but read-only: its embedded store takes nothing\n" },
  });
  expect((await served.get("/v1/status")).body).toMatchObject({
    directory: { state: "read-only" },
    problems: expect.arrayContaining([
      expect.objectContaining({ message: expect.stringContaining("its store cannot be written (the disk is full)") }),
    ]),
  });
  store.failing = false;
  expect(answer).toMatchObject({
    status: 503,
    body: { error: { code: "unavailable", message: "Cannot write: the disk is full; nothing was changed" } },
  });
  expect((await served.get("/v1/routes")).body["routes"]).toEqual([]);
});

test("an explanation is what the caller sees from its zone, as long as all of that name are in one", async () => {
  const zoned = await serve({ store: new MemoryStore() });
  onTestFinished(() => zoned.stop());
  await watsonOf(zoned, "vm-zones", [
    registration("zoned@near:1", { zone: "z1" }),
    registration("zoned@far:1", { zone: "z2" }),
  ]);
  const percentOfNear = async (): Promise<unknown> => {
    const { body } = await zoned.get("/v1/explain?caller=shop&service=zoned");
    const { shares } = body["explanation"] as { shares: { instances: { name: string; percent: number }[] }[] };
    return shares[0]?.instances.find(({ name }) => name === "near")?.percent;
  };
  expect(await percentOfNear()).toBe(50);
  for (const [id, zone, expected] of [
    ["the-first-shop", "z1", 100],
    ["the-second-shop", "z2", 50],
  ] as const) {
    const sherlock = await zoned.link();
    sherlock.send(hello("sherlock", "shop", { id, zone }));
    await sherlock.next("welcome");
    expect(await percentOfNear()).toBe(expected);
  }
});
