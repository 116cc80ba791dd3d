import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "@datawire/catalog";
import { takesInstances } from "../core/model/haproxy-version.ts";
import { change, instance, routes, service, catalogOf } from "../testing/entities.ts";
import { type Answer, ask, openConnection } from "../testing/ask.ts";
import { type Echo, type Silent, startEcho, startSilent } from "../testing/echo.ts";
import { type Machine, startMachine } from "../testing/machine.ts";
import { freePort, removeFolder, temporaryFolder } from "../testing/places.ts";

let folder: string;
let port: number;
let machine: Machine | null;
let echoes: Echo[];
let closers: (() => void)[];

beforeEach(async () => {
  folder = await temporaryFolder();
  port = await freePort();
  machine = null;
  echoes = [];
  closers = [];
});

afterEach(async () => {
  await machine?.stop();
  for (const close of closers) close();
  await Promise.all(echoes.map((echo) => echo.close()));
  await removeFolder(folder);
});

async function start(table: Catalog, spares?: number): Promise<Machine> {
  machine = await startMachine({ table, runDir: folder, port, ...(spares === undefined ? {} : { spares }) });
  return machine;
}

async function echo(name: string, respond?: Parameters<typeof startEcho>[1]): Promise<Echo> {
  const started = await startEcho(name, respond);
  echoes.push(started);
  return started;
}

/** A request that the silent instance has, and does not answer. */
async function stuckRequest(silent: Silent): Promise<{ answer: Promise<Answer>; answered(): boolean }> {
  for (;;) {
    const before = silent.requests();
    let answered = false;
    const answer = ask(port, "/s/").finally(() => (answered = true));
    await expect.poll(() => answered || silent.requests() > before, { interval: 5 }).toBe(true);
    if (!answered) return { answer, answered: () => answered };
  }
}

async function namesOf(
  path: string,
  count: number,
  headers: Record<string, string> = {},
): Promise<Map<string, number>> {
  const names = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { seen, status } = await ask(port, path, headers);
    const name = seen?.name ?? String(status);
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  return names;
}

describe("Driver", () => {
  test("follows instances that come, go and return without a reload", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(service("s"), instance("s", "a", { url: a.url }));
    const { follow, reloads, features } = await start(table);
    expect(await namesOf("/s/", 4)).toEqual(new Map([["a", 4]]));
    await follow(table.apply(change(instance("s", "b", { url: b.url, order: 1 }))));
    const shares = await namesOf("/s/", 30);
    expect([...shares.keys()].toSorted()).toEqual(["a", "b"]);
    // In turn, where HAProxy itself chooses between them.
    if (features.hostFromName) expect([...shares.values()]).toEqual([15, 15]);
    const before = reloads.length;
    if (takesInstances(features)) expect(reloads).toEqual([]);
    await follow(table.apply(change(instance("s", "a", { url: a.url, state: "down", reason: "status 503" }))));
    expect(await namesOf("/s/", 4)).toEqual(new Map([["b", 4]]));
    await follow(table.apply({ ...change(), gone: { services: [], instances: ["s@b"], tables: [] } }));
    const none = await ask(port, "/s/", { accept: "application/json" });
    expect([none.status, none.headers["retry-after"], JSON.parse(none.body)]).toEqual([
      503,
      "1",
      { error: "no live instance", service: "s", reason: "a is down, status 503" },
    ]);
    await follow(table.apply(change(instance("s", "b", { url: b.url, order: 2 }))));
    expect(await namesOf("/s/", 4)).toEqual(new Map([["b", 4]]));
    expect(reloads).toHaveLength(before);
  });

  test("changes shares and rules without a reload where the targets are there", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(
      service("s"),
      instance("s", "a", { url: a.url }),
      instance("s", "b", { url: `${b.url}/base`, order: 1, version: "2.0" }),
    );
    const { follow, reloads } = await start(table);
    await follow(table.apply(change(routes("s", { "//s(2)": { share: 10_000 } }))));
    expect(await namesOf("/s/", 5)).toEqual(new Map([["b", 5]]));
    await follow(table.apply(change(routes("s", { "//s(2)": { share: 5_000 } }))));
    expect([...(await namesOf("/s/", 60)).keys()].sort()).toEqual(["a", "b"]);
    expect(reloads).toEqual([]);
    await follow(table.apply(change(routes("s", { "//s(2)": { share: 0, when: "header:X-Canary=1;'%[b]\\" } }))));
    expect(await namesOf("/s/", 5)).toEqual(new Map([["a", 5]]));
    expect(await namesOf("/s/", 5, { "x-canary": "1;'%[b]\\" })).toEqual(new Map([["b", 5]]));
    expect(reloads.map(({ reason }) => reason)).toEqual(["key"]);
    await follow(table.apply(change(routes("s", { "//s(2)": { share: 0, when: "path:/beta" } }))));
    expect(await namesOf("/s/beta/x", 3)).toEqual(new Map([["b", 3]]));
    expect(await namesOf("/s/x", 3)).toEqual(new Map([["a", 3]]));
    await follow(table.apply({ ...change(), gone: { services: [], instances: [], tables: ["*>s"] } }));
    expect(await namesOf("/s/beta/x", 3)).toEqual(new Map([["a", 3]]));
    expect(reloads).toHaveLength(1);
  });

  test("keeps a user of a sticky share on one side", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(
      service("s"),
      instance("s", "a", { url: a.url }),
      instance("s", "b", { url: b.url, order: 1, version: "2" }),
      routes("s", { "//s(2)": { share: 5_000 } }, { sticky: "header:X-User" }),
    );
    await start(table);
    const sides = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => (await namesOf("/s/", 3, { "x-user": `u${i}` })).size),
    );
    expect(sides.every((size) => size === 1)).toBe(true);
    expect((await namesOf("/s/", 40)).size).toBe(2);
  });

  test("asks the next group when HAProxy finds one dead before Watson does", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(
      service("s"),
      instance("s", "a", { url: a.url }),
      instance("s", "b", { url: `${b.url}/base`, order: 1, version: "2" }),
    );
    await start(table);
    await a.close();
    echoes = [b];
    const answer = await ask(port, "/s/x?y=1");
    expect([answer.status, answer.seen?.name, answer.seen?.url]).toEqual([200, "b", "/base/x?y=1"]);
    await b.close();
    echoes = [];
    const none = await ask(port, "/s/x");
    expect([none.status, none.body]).toEqual([503, "503: no live instance of s: no instance answers\n"]);
  });

  test("keeps to the policies ordered and consistent, for servers that came at run time too", async () => {
    const [a, b, c] = [await echo("a"), await echo("b"), await echo("c")];
    const table = catalogOf(
      service("o", { settings: { balance: "ordered" } }),
      instance("o", "b", { url: b.url, order: 5 }),
      service("k", { settings: { balance: "consistent:header:X-User" } }),
      instance("k", "a", { url: a.url, order: 6 }),
      instance("k", "b", { url: b.url, order: 7 }),
    );
    const machine = await start(table);
    const { follow, reloads, features } = machine;
    await follow(
      table.apply(change(instance("o", "a", { url: a.url, order: 2 }), instance("k", "c", { url: c.url, order: 8 }))),
    );
    expect(await namesOf("/o/", 4)).toEqual(new Map([["a", 4]]));
    await follow(table.apply(change(instance("o", "a", { url: a.url, order: 2, state: "down" }))));
    expect(await namesOf("/o/", 4)).toEqual(new Map([["b", 4]]));
    await follow(table.apply(change(instance("o", "a", { url: a.url, order: 2 }))));
    expect(await namesOf("/o/", 4)).toEqual(new Map([["a", 4]]));
    const users: string[][] = [];
    for (let i = 0; i < 20; i++) users.push([...(await namesOf("/k/", 3, { "x-user": `user-${i}` })).keys()]);
    expect([...new Set(users.flat())].toSorted()).toEqual(["a", "b", "c"]);
    if (features.hostFromName) expect(users.map((names) => names.length)).toEqual(users.map(() => 1));
    else expect(machine.problems).toMatchObject([{ subject: "//k" }]);
    if (takesInstances(features)) expect(reloads).toEqual([]);
  });

  test("decides anew about what comes over connections that were open before a reload", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(service("s"), instance("s", "a", { url: a.url }));
    const { follow, reloads } = await start(table);
    const caller = await openConnection(port);
    const browser = await openConnection(port);
    closers.push(
      () => caller.close(),
      () => browser.close(),
    );
    expect((await caller.ask("/s/x"))?.name).toBe("a");
    expect((await browser.ask("/s/x"))?.name).toBe("a");
    await follow(table.apply(change(instance("s", "b", { url: `${b.url}/base`, version: "2", order: 1 }))));
    await follow(table.apply(change(routes("s", { "//s(2)": { share: 10_000 } }, { sticky: "header:x-user" }))));
    expect(reloads.length).toBeGreaterThan(0);
    const seen = await caller.ask("/s/x?y", { "x-user": "u", "x-forwarded-for": "1.2.3.4" });
    expect(seen).toMatchObject({ name: "b", url: "/base/x?y" });
    expect(seen?.headers).toMatchObject({
      "x-forwarded-for": "1.2.3.4, 127.0.0.1",
      "x-forwarded-host": "here",
      "x-forwarded-prefix": "/s",
    });
    // What is looked at more closely has its headers from the first worker too, and is refused by neither.
    const page = await browser.ask("/s/x", {
      "user-agent": "Mozilla/5.0",
      origin: "http://s.localhost",
      host: "localhost",
    });
    expect(page).toMatchObject({ name: "b" });
    expect(page?.headers).toMatchObject({ "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "localhost" });
  });

  test("is adopted by the next start, without a reload where nothing changed", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const table = catalogOf(service("s"), instance("s", "a", { url: a.url }));
    const first = await start(table);
    await first.follow(table.apply(change(instance("s", "b", { url: b.url, order: 1 }))));
    const { pid } = first.process;
    await first.leave();
    table.apply(change(instance("s", "a", { url: a.url, state: "draining" })));
    const second = await start(table);
    expect(second.process.pid).toBe(pid);
    expect(second.reloads).toEqual([]);
    expect(await namesOf("/s/", 4)).toEqual(new Map([["b", 4]]));
  });

  test("takes no instance away before the reload of an HAProxy that it has adopted", async () => {
    const a = await echo("a");
    const only = instance("s", "a", { url: a.url });
    const table = catalogOf(service("s"), only);
    const first = await start(table, 0);
    const { pid } = first.process;
    await first.leave();
    // While no Sherlock was there, the instance has come to a group of its own; and a service is new.
    table.apply(
      change(routes("s", { "//s@a": { share: 2_500 } }), service("new"), instance("new", "a", { url: a.url })),
    );
    const answers: number[] = [];
    const stopping = new AbortController();
    const caller = (async () => {
      while (!stopping.signal.aborted) answers.push((await ask(port, "/s/")).status);
    })();
    const second = await start(table, 0);
    expect(second.process.pid).toBe(pid);
    stopping.abort();
    await caller;
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(1);
    expect(second.reloads).toHaveLength(1);
    expect((await ask(port, "/new/")).status).toBe(200);
  });

  test("goes on with a service as it was before when HAProxy refuses what it has become", async () => {
    const template = join(folder, "own");
    const builtIn = join(import.meta.dirname, "../../templates");
    await mkdir(join(template, "partials"), { recursive: true });
    await copyFile(join(builtIn, "haproxy.cfg.hbs"), join(template, "haproxy.cfg.hbs"));
    const backend = await readFile(join(builtIn, "partials/backend.hbs"), "utf8");
    await writeFile(join(template, "partials/backend.hbs"), `${backend}{{#if mapping}}  nonsense\n{{/if}}`);
    const a = await echo("a");
    const s = instance("s", "a", { url: a.url });
    const table = catalogOf(service("s"), s);
    const own = await startMachine({ table, runDir: folder, port, template: join(template, "haproxy.cfg.hbs") });
    machine = own;
    const refused = { ...s, url: `${a.url}/base` };
    await own.follow(table.apply(change(refused, service("new"), instance("new", "a", { url: a.url }))));
    expect(own.problems).toMatchObject([
      { subject: "//s", message: expect.stringMatching(/nonsense.*as it was before/) },
    ]);
    expect((await ask(port, "/s/x")).seen?.url).toBe("/x");
    expect((await ask(port, "/new/x")).seen?.url).toBe("/x");
    // Who dies meanwhile is dead; and what is accepted again is served again.
    await own.follow(table.apply(change({ ...refused, state: "down" })));
    expect((await ask(port, "/s/x")).status).toBe(503);
    await own.follow(table.apply(change(s)));
    expect(own.problems).toEqual([]);
    expect((await ask(port, "/s/x")).status).toBe(200);
  });

  test("repeats elsewhere at once what waits for an instance of which nothing comes back", async () => {
    const [a, b] = [await echo("a"), await echo("b")];
    const silent = await startSilent();
    closers.push(silent.close);
    const frozen = instance("s", "b", { url: silent.url, order: 1 });
    const table = catalogOf(service("s"), frozen, instance("s", "a", { url: a.url }));
    const { follow, features } = await start(table);
    const cut = await stuckRequest(silent);
    await follow(table.apply(change({ ...frozen, state: "down", cause: "timeout" })));
    if (!features.repeatsCut) {
      // Nothing is cut that would then be lost; the time-out repeats it, or the end of the instance.
      expect(cut.answered()).toBe(false);
      silent.die();
    }
    // Without a cut the time-out would have to end it, and that is longer than a test may take.
    const { status, seen } = await cut.answer;
    expect([status, seen?.name]).toEqual([200, "a"]);
    // One that answered its check has its drain time, until it is silent too.
    await follow(table.apply(change(frozen)));
    const kept = await stuckRequest(silent);
    await follow(table.apply(change({ ...frozen, state: "down", cause: "failed" })));
    await follow(table.apply(change(instance("other", "a", { url: b.url }), service("other"))));
    expect(kept.answered()).toBe(false);
    await follow(table.apply(change({ ...frozen, state: "down", cause: "timeout" })));
    if (!features.repeatsCut) silent.die();
    expect((await kept.answer).status).toBe(200);
  });

  test("starts HAProxy again when it dies", async () => {
    const a = await echo("a");
    const table = catalogOf(service("s"), instance("s", "a", { url: a.url }));
    const { process: haproxy } = await start(table);
    const before = haproxy.pid as number;
    process.kill(before, "SIGKILL");
    await expect.poll(() => haproxy.pid, { interval: 10 }).not.toBe(before);
    await expect.poll(async () => (await ask(port, "/s/").catch(() => null))?.status).toBe(200);
  });

  test("starts HAProxy again as it was, also where a change has left a backend behind", async () => {
    const a = await echo("a");
    const table = catalogOf(service("s"), instance("s", "a", { url: a.url }));
    const { follow, process: haproxy, dir } = await start(table, 0);
    await follow(table.apply(change(routes("s", { "//s@a": { share: 2_500 } }))));
    await follow(table.apply({ ...change(), gone: { services: [], instances: [], tables: ["*>s"] } }));
    expect((await ask(port, "/s/")).status).toBe(200);
    // The files follow a second later, with the structure that is loaded.
    await expect.poll(() => readFile(dir.maps.plain, "utf8")).toBe("s s:v1\n");
    await expect
      .poll(() => readFile(dir.config, "utf8"))
      .toMatch(/backend s:i:a[^]*server 127.*\n\nbackend s:v1[^]*server 127(?!.*disabled)/);
    process.kill(haproxy.pid as number, "SIGKILL");
    const statuses: number[] = [];
    await expect
      .poll(
        async () => {
          const answer = await ask(port, "/s/").catch(() => null);
          if (answer !== null) statuses.push(answer.status);
          return statuses.length;
        },
        { interval: 1 },
      )
      .toBeGreaterThan(10);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  test("refuses a run directory that another Sherlock has", async () => {
    await start(catalogOf());
    await expect(startMachine({ table: catalogOf(), runDir: folder, port })).rejects.toThrow(
      /Cannot use .* as run directory: .*(has it|just starting)/,
    );
  });
});
