import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { init, type LogEvent, type Mdk, type MdkOptions, start } from "@datawire/mdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
const libraries: Mdk[] = [];
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await Promise.all(libraries.splice(0).map((mdk) => mdk.stop()));
  await stack.dispose();
});

async function library(name: string, options: MdkOptions = {}): Promise<Mdk> {
  const mdk = init({ name, directories: [await stack.directoryAddress()], ...options });
  libraries.push(mdk);
  return mdk;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "none",
    (error: { code?: string }) => error.code ?? error,
  );

/** What keeps this process alive: how many of each kind, but for the processes of the test itself. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (!["PipeWrap", "ProcessWrap", "Immediate"].includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Waits until there is no more of any kind than before. */
async function noMoreThan(before: ReadonlyMap<string, number>): Promise<void> {
  await eventually(async () => {
    expect([...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0))).toEqual([]);
  });
}

test("registrations made before start() are there after it, and after a restart of the directory", async () => {
  const directory = await stack.startDirectory();
  const mdk = await library("shop");
  const first = mdk.register("till", "1.0", "http://127.0.0.1:7001", { instance: "a", weight: 7, tags: ["x"] });
  const second = mdk.register("till", null, "127.0.0.1:7002");
  expect((await stack.read<{ services: unknown[] }>("/v1/services")).services).toEqual([]);
  mdk.start();
  await Promise.all([first.registered, second.registered, mdk.ready()]);
  await stack.lists("till", { a: "live", "127.0.0.1-7002": "live" });
  directory.kill("SIGKILL");
  await directory.exited;
  await stack.startDirectory();
  await stack.lists("till", { a: "live", "127.0.0.1-7002": "live" });
  await first.deregister();
  await stack.lists("till", { "127.0.0.1-7002": "live" });
  await second.deregister();
  await stack.lists("till", {});
});

test("an instance that another live library holds is refused by name, and taken once that is gone", async () => {
  await stack.startDirectory([], { lease: "5s" });
  const [first, second] = [(await library("one")).start(), (await library("two")).start()];
  await first.register("till", "1", "http://127.0.0.1:7001", { instance: "a" }).registered;
  const refused = second.register("till", "1", "http://127.0.0.1:7002", { instance: "a" });
  await expect(refused.registered).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("one") as string,
  });
  await first.stop();
  await eventually(async () => {
    const { address } = await second.session().resolve("till");
    expect(address).toBe("http://127.0.0.1:7002");
  });
});

test.each<[string, MdkOptions, string]>([
  ["without a token", {}, "unauthenticated"],
  ["with a token that is not known", { token: `dw1_${"x".repeat(43)}` }, "unauthenticated"],
  ["with a text that is no token", { token: "secret" }, "unauthenticated"],
])("nobody waits for a directory that refuses a library %s", async (_, options, code) => {
  await stack.startDirectory([], { auth: { mode: "token" }, tls: "off" });
  const mdk = (await library("shop", options)).start();
  const registration = mdk.register("till", "1", "http://127.0.0.1:7001");
  const waiting = mdk.session().resolve("till");
  expect(await Promise.all([mdk.ready(), registration.registered, waiting].map(codeOf))).toEqual([code, code, code]);
  expect(await codeOf(mdk.session().resolve("till", null, { timeout: 0 }))).toBe(code);
  expect(await codeOf(mdk.register("till", "1", "http://127.0.0.1:7002").registered)).toBe(code);
});

test("a token says what may be registered, and a new one in the file is taken when the old one is refused", async () => {
  await stack.startDirectory([], { auth: { mode: "token" }, tls: "off" });
  stack.token = readFileSync(join(stack.folder, "directory", "admin.token"), "utf8").trim();
  const tokenFile = join(stack.folder, "library.token");
  const write = (text: string): void => {
    writeFileSync(tokenFile, text);
    chmodSync(tokenFile, 0o600);
  };
  write(`dw1_${"x".repeat(43)}`);
  const mdk = (await library("shop", { tokenFile })).start();
  expect(await codeOf(mdk.ready())).toBe("unauthenticated");
  const { token } = await stack.dwJson<{ token: string }>(
    "token",
    "create",
    "--role",
    "library",
    "--services",
    "till-*",
  );
  write(token);
  await eventually(() => mdk.ready());
  await mdk.register("till-1", "1", "http://127.0.0.1:7001").registered;
  expect(await codeOf(mdk.register("other", "1", "http://127.0.0.1:7001").registered)).toBe("permission_denied");
});

test("a library speaks TLS by the fingerprint in its token, or by an authority of one's own, and not to others", async () => {
  await stack.startDirectory([], { auth: { mode: "token" } });
  const token = readFileSync(join(stack.folder, "directory", "admin.token"), "utf8").trim();
  const pinned = (await library("one", { token })).start();
  await pinned.ready();
  await pinned.register("till", "1", "http://127.0.0.1:7001").registered;
  const foreign = (await library("two", { token, tls: { ca: rootCertificates[0] as string } })).start();
  expect(await codeOf(foreign.session().resolve("till", null, { timeout: 2 }))).toBe("unavailable");
  const missing = (await library("three", { token, tls: { ca: join(stack.folder, "nowhere.pem") } })).start();
  expect(await codeOf(missing.ready())).toBe("invalid_argument");
});

test("what sessions log is there by trace, and for those who follow", async () => {
  await stack.startDirectory();
  const [one, two] = [(await library("one")).start(), (await library("two")).start()];
  await Promise.all([one.ready(), two.ready()]);
  const abort = new AbortController();
  const session = one.session();
  const seen: LogEvent[] = [];
  const reading = (async () => {
    for await (const event of two.logs({ trace: session.traceId, level: "WARN", signal: abort.signal }))
      seen.push(event);
  })();
  await eventually(async () => {
    session.warn("till", "before");
    expect(seen.length).toBeGreaterThan(0);
  });
  session.info("till", "left out of what is followed");
  const joined = two.join(session.externalize());
  joined.error("till", "after");
  one.session().error("till", "of another trace");
  await eventually(async () => expect(seen.map(({ text }) => text)).toContain("after"));
  abort.abort();
  await reading;
  expect(new Set(seen.map(({ text }) => text))).toEqual(new Set(["before", "after"]));
  expect(seen.find(({ text }) => text === "after")).toMatchObject({
    traceId: session.traceId,
    level: "ERROR",
    environment: "sandbox",
  });
  await eventually(async () => {
    const { events } = await stack.read<{ events: LogEvent[] }>(`/v1/traces/${session.traceId}`);
    expect(events.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["before", "left out of what is followed", "after"]),
    );
  });
});

test("logs wait for a directory that is away, and the last ones are sent by stop()", async () => {
  const mdk = (await library("shop")).start();
  const session = mdk.session();
  session.info("till", "while it was away");
  await stack.startDirectory();
  await mdk.ready();
  session.info("till", "at the end");
  await mdk.stop();
  await eventually(async () => {
    const { events } = await stack.read<{ events: LogEvent[] }>(`/v1/traces/${session.traceId}`);
    expect(events.map(({ text }) => text)).toEqual(["while it was away", "at the end"]);
  });
});

test("an environment is a table of its own, and its fallback answers for what it never had", async () => {
  await stack.startDirectory();
  const [usual, canary] = [
    (await library("one")).start(),
    (await library("two", { environment: "sandbox:canary" })).start(),
  ];
  await Promise.all([usual.ready(), canary.ready()]);
  await usual.register("till", "1", "http://127.0.0.1:7001").registered;
  const session = canary.session();
  expect(await session.resolve("till")).toMatchObject({ address: "http://127.0.0.1:7001", environment: "sandbox" });
  await canary.register("till", "1", "http://127.0.0.1:7002").registered;
  await eventually(async () =>
    expect(await session.resolve("till")).toMatchObject({ address: "http://127.0.0.1:7002", environment: "canary" }),
  );
  expect((await usual.session().resolve("till")).address).toBe("http://127.0.0.1:7001");
  // A session of the other environment, joined here, stays in it.
  const joined = usual.join(session.externalize());
  expect(joined.getEnvironment()).toEqual({ name: "canary", fallbackName: "sandbox" });
  expect((await joined.resolve("till")).address).toBe("http://127.0.0.1:7002");
});

describe("stop()", () => {
  test("leaves no timer, no socket and no promise", async () => {
    await stack.startDirectory();
    const before = resources();
    const mdk = await library("shop", {
      environment: "sandbox:canary",
      table: join(stack.folder, "tables", "shop.json"),
    });
    const early = mdk.register("till", "1", "http://127.0.0.1:7001");
    mdk.start();
    await Promise.all([early.registered, mdk.ready()]);
    const session = mdk.session();
    session.setDeadline(600);
    expect(session.signal.aborted).toBe(false);
    session.info("a", "b");
    const waiting = codeOf(session.resolve("nothing"));
    const reading = (async () => {
      for await (const event of mdk.logs()) void event;
    })();
    await mdk.stop();
    expect(await waiting).toBe("stopped");
    await reading;
    expect(await codeOf(mdk.ready())).toBe("stopped");
    expect(await codeOf(session.resolve("till"))).toBe("stopped");
    expect(() => mdk.register("till", "1", "http://127.0.0.1:7001")).toThrow(/stopped/);
    expect(() => mdk.start()).toThrow(/another one/);
    await mdk.stop();
    await noMoreThan(before);
  });

  test("does so too where no directory ever answered, and before start()", async () => {
    const before = resources();
    const away = start({ name: "shop", directories: ["ws://127.0.0.1:1"] });
    const registration = away.register("till", "1", "http://127.0.0.1:7001");
    expect(await codeOf(away.session().resolve("till", null, { timeout: 0 }))).toBe("unavailable");
    const ready = codeOf(away.ready());
    await away.stop();
    expect(await Promise.all([ready, codeOf(registration.registered)])).toEqual(["stopped", "stopped"]);
    await init({ name: "shop" }).stop();
    await noMoreThan(before);
  });
});
