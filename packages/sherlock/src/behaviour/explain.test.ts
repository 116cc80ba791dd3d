import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { join } from "node:path";
import { Catalog } from "@datawire/catalog";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, ask } from "../testing/ask.ts";
import { type Echo, startEcho } from "../testing/echo.ts";
import { catalogOf, type Entity, instance, routes, service } from "../testing/entities.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

/** Requests that ask why they went where they did, at a real HAProxy. */

const EXPLAIN = { "X-Datawire-Explain": "1" };
const FORGED = { "x-datawire-caller": "forged", "x-datawire-forged": "1" };

let folder: string;
let machine: Machine;
let one: Echo;
let two: Echo;
const table = new Catalog();

beforeAll(async () => {
  folder = await temporaryFolder();
  one = await startEcho("one", () => FORGED);
  two = await startEcho("two");
  const runDir = join(folder, "run");
  machine = await startMachine({ table, runDir, port: await freePort(), settings: { explain: true } });
});

afterAll(async () => {
  await machine.stop();
  await Promise.all([one.close(), two.close()]);
  await removeFolder(folder);
});

const both = (): Entity[] => [
  service("s"),
  instance("s", "one", { url: one.url }),
  instance("s", "two", { url: two.url, version: "2", order: 1 }),
];

async function become(...entities: readonly Entity[]): Promise<void> {
  await machine.follow(table.apply(table.changeTo(catalogOf(...entities).snapshot())));
  await machine.settled();
}

const get = (path: string, headers: Record<string, string> = EXPLAIN, agent?: Agent): Promise<Answer> =>
  ask(machine.port, path, headers, agent);

/** What an answer says of why, without the prefix of its headers. */
function told({ headers }: Answer): Record<string, unknown> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith("x-datawire-"));
  return Object.fromEntries(own.map(([name, value]) => [name.slice("x-datawire-".length), value]));
}

/** The explanations of some requests, by who answered. */
async function toldBy(count: number, headers: Record<string, string> = EXPLAIN): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (let i = 0; i < count; i++) {
    const answer = await get("/s/", headers);
    found.set(answer.seen?.name ?? String(answer.status), told(answer));
  }
  return found;
}

test("an answer says caller, service, rule, target, instance, tries and revision, and the service can forge none", async () => {
  await become(...both());
  const answer = await get("/s/x");
  expect(told(answer)).toEqual({
    caller: "monolith",
    service: "s",
    rule: "100%, the primary, version 1",
    target: "//s",
    instance: "one",
    tries: "1",
    revision: String(machine.revision),
  });
  expect(answer.seen?.headers).not.toHaveProperty("x-datawire-explain");
});

test.each([[{}], [{ "X-Datawire-Explain": "0" }]])("a request with %j goes and comes as ever", async (headers) => {
  await become(...both());
  const answer = await get("/s/x", headers);
  expect(answer.headers).toMatchObject(FORGED);
  expect(told(answer)).toEqual({ caller: "forged", forged: "1" });
  expect(answer.seen?.headers).not.toHaveProperty("x-datawire-explain");
});

test("shares and conditions that commands bring are told at once, with the revision that brought them", async () => {
  await become(...both(), routes("s", { "//s(2)": { when: "header:k=v" } }));
  const before = machine.reloads.length;
  await become(...both(), routes("s", { "//s(2)": { share: 5_000, when: "header:k=v" } }));
  const common = { caller: "monolith", service: "s", tries: "1", revision: String(machine.revision) };
  const first = { rule: "50%, the primary, version 1", target: "//s", instance: "one" };
  const second = { rule: "50%, a route for any caller", target: "//s(2)", instance: "two" };
  expect(await toldBy(8)).toEqual(
    new Map([
      ["one", { ...common, ...first }],
      ["two", { ...common, ...second }],
    ]),
  );
  const chosen = { ...common, ...second, rule: "when header:k=v" };
  expect(await toldBy(2, { ...EXPLAIN, k: "v" })).toEqual(new Map([["two", chosen]]));

  await become(...both(), routes("s", { "//s(2)": { when: "path:/beta" } }));
  expect(told(await get("/s/beta/x"))).toMatchObject({ rule: "when path:/beta", revision: String(machine.revision) });
  expect(told(await get("/s/other"))).toMatchObject({ rule: "100%, the primary, version 1", target: "//s" });

  await become(...both(), routes("s", { "//s(2)": { share: 10_000 } }));
  expect(told(await get("/s/"))).toMatchObject({ rule: "100%, a route for any caller", target: "//s(2)" });
  expect(machine.reloads.slice(before)).toEqual([]);
});

test("a name in Host is explained as one in the path is", async () => {
  await become(...both());
  const answer = await get("/", { ...EXPLAIN, host: "s.localhost" });
  expect(told(answer)).toMatchObject({ service: "s", rule: "100%, the primary, version 1", instance: "one" });
  await become(...both(), routes("s", { "//s(2)": { share: 10_000 } }));
  expect(told(await get("/", { ...EXPLAIN, host: "s" }))).toMatchObject({ target: "//s(2)", instance: "two" });
});

test("a session is told to be one, with where it is", async () => {
  const [, ...instances] = both();
  await become(
    service("s", { settings: { balance: "cookie:SERVERID" } }),
    ...instances,
    routes("s", { "//s(2)": { share: 5_000 } }),
  );
  const begun = await get("/s/");
  expect(told(begun)).toMatchObject({ rule: expect.stringMatching(/^50%, /) });
  const cookie = String(begun.headers["set-cookie"]?.[0]?.split(";")[0]);
  const { instance: at } = told(begun);
  expect(told(await get("/s/", { ...EXPLAIN, cookie }))).toMatchObject({
    rule: "session",
    target: at === "one" ? "//s(1)" : "//s(2)",
    instance: at,
  });

  await become(
    service("s", { settings: { balance: "cookie:SERVERID" } }),
    ...instances,
    routes("s", { "//s(2)": { when: "header:k=v" } }),
  );
  const within = await get("/s/", { ...EXPLAIN, k: "v" });
  expect(told(within)).toMatchObject({ rule: "when header:k=v", target: "//s(2)", instance: "two" });
  const again = String(within.headers["set-cookie"]?.[0]?.split(";")[0]);
  expect(told(await get("/s/", { ...EXPLAIN, k: "v", cookie: again }))).toMatchObject({
    rule: "when header:k=v; session",
    target: "//s(2)",
    instance: "two",
  });
});

test("a share into another service, and one that nobody may take, are told", async () => {
  const other = [service("o"), instance("o", "two", { url: two.url })];
  await become(...both().slice(0, 2), ...other, routes("s", { "//o": { share: 10_000 } }));
  expect(told(await get("/s/"))).toMatchObject({
    service: "s",
    rule: "100%, a route for any caller to another service",
    target: "//o",
    instance: "two",
  });
  await become(
    service("s", { settings: { failover: "none" } }),
    instance("s", "one", { url: one.url, state: "down" }),
    instance("s", "two", { url: two.url, version: "2", order: 1 }),
    routes("s", { "//s(2)": { when: "header:k=v" } }),
  );
  const refused = await get("/s/");
  expect([refused.status, told(refused)]).toMatchObject([503, { rule: expect.stringMatching(/^100%, refused: /) }]);
  expect(told(refused)).not.toHaveProperty("instance");
});

test("an answer of HAProxy's own says what is known, and names no instance", async () => {
  await become(service("s"), instance("s", "one", { url: one.url, state: "down" }));
  const down = await get("/s/");
  const revision = String(machine.revision);
  expect([down.status, told(down)]).toEqual([503, { caller: "monolith", service: "s", revision }]);
  const unknown = await get("/nobody/");
  expect([unknown.status, told(unknown)]).toEqual([404, { caller: "monolith", service: "nobody", revision }]);
  expect(told(await get("/nobody/", {}))).toEqual({});
});

test("who stands in for an instance that has just died is told, with the tries", async () => {
  const dying = await startEcho("dying");
  const all = [
    service("s"),
    instance("s", "one", { url: one.url }),
    instance("s", "dying", { url: dying.url, version: "2", order: 1 }),
    routes("s", { "//s(2)": { share: 10_000 } }),
  ];
  await become(...all);
  await dying.close();
  const answer = await get("/s/");
  expect(answer.seen?.name).toBe("one");
  expect(told(answer)).toMatchObject({
    rule: "100%, a route for any caller; failover",
    target: "//s(2)",
    instance: "one",
    caller: "monolith",
  });
  expect(Number(told(answer)["tries"])).toBeGreaterThan(1);
  expect(answer.headers).not.toHaveProperty("x-dstack-instance");
  const plain = await get("/s/", {});
  expect(Object.keys(plain.headers).filter((name) => name.startsWith("x-dstack"))).toEqual([]);
});

test("a worker that a reload has replaced leaves the explanation to its successor", async () => {
  await become(...both());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await get("/s/", EXPLAIN, agent);
    await machine.follow(
      table.apply(table.changeTo(catalogOf(...both(), service("n"), instance("n", "n", { url: two.url })).snapshot())),
    );
    const answer = await get("/n/", EXPLAIN, agent);
    expect(told(answer)).toMatchObject({ service: "n", instance: "n", revision: String(machine.revision) });
  } finally {
    agent.destroy();
  }
});

test("with a template of one's own that tells nothing, nothing is planned for it", async () => {
  table.apply(table.changeTo(catalogOf(...both()).snapshot()));
  const template = join(folder, "own.hbs");
  const builtIn = new URL("../../templates/", import.meta.url);
  await mkdir(join(folder, "partials"));
  await copyFile(new URL("haproxy.cfg.hbs", builtIn), template);
  const routing = await readFile(new URL("partials/routing.hbs", builtIn), "utf8");
  const older = routing
    .replace("{{> explain}}\n", "")
    .replace(/\{\{#if explain\}\}\n[^{]*(?:\{\{maps[^{]*)*\{\{\/if\}\}\n/g, "");
  expect(older).not.toContain("explain");
  await writeFile(join(folder, "partials/routing.hbs"), older);
  const own = await startMachine({
    table,
    runDir: join(folder, "own"),
    port: await freePort(),
    template,
    settings: { explain: true },
  });
  try {
    await own.follow(["s"]);
    const { maps } = own.planning.current ?? {};
    expect([maps?.places.size, maps?.state.get("revision")]).toEqual([0, undefined]);
    expect(told(await ask(own.port, "/s/", EXPLAIN))).toEqual({ caller: "forged", forged: "1" });
  } finally {
    await own.stop();
  }
});

test("without the setting nobody looks at the header", async () => {
  const runDir = join(folder, "off");
  const off = await startMachine({ table, runDir, port: await freePort() });
  try {
    const answer = await ask(off.port, "/s/", EXPLAIN);
    expect(told(answer)).toEqual({ caller: "forged", forged: "1" });
    expect(answer.seen?.headers).toHaveProperty("x-datawire-explain", "1");
  } finally {
    await off.stop();
  }
});
