import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(() => {
  stack = new Stack();
});
afterEach(() => stack.dispose());

interface Library {
  readonly child: Child;
  /** Resolves so often in the library, and counts the nodes, or the codes of errors. */
  resolve(
    service: string,
    options?: { version?: string; count?: number; timeout?: number },
  ): Promise<Record<string, number>>;
}

async function startLibrary(name: string, options: Readonly<Record<string, string>> = {}): Promise<Library> {
  const given = { directory: await stack.directoryAddress(), name, ...options };
  const args = Object.entries(given).flatMap(([option, value]) => [`--${option}`, value]);
  const child = stack.startFixture("library.ts", args);
  const line = await child.line((text) => text.startsWith("listening on "));
  const url = `http://127.0.0.1:${line.slice("listening on ".length)}`;
  return {
    child,
    async resolve(service, { version, count = 1, timeout = 100 } = {}) {
      const wanted = { count: String(count), timeout: String(timeout) };
      const query = new URLSearchParams({ ...wanted, ...(version !== undefined && { version }) });
      return (await (await fetch(`${url}/resolve/${service}?${query.toString()}`)).json()) as Record<string, number>;
    },
  };
}

test("a library resolves what Watson registered, Sherlock calls what the library registered, and dw lists it", async () => {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.startInstance({ service: "emitter", name: "old" });
  const library = await startLibrary("shop", { service: "till" });
  await library.child.line((line) => line === "registered");
  expect(await library.resolve("emitter")).toEqual({ old: 1 });
  await eventually(async () => expect(await instanceAt(await stack.url("/till/"))).toBe("shop"));
  await eventually(async () => {
    const callers = await stack.dwJson<{ name: string; kind: string }[]>("caller", "list");
    expect(callers.map(({ name, kind }) => `${kind} ${name}`).toSorted()).toEqual([
      "library shop",
      "sherlock monolith",
    ]);
  });
});

test("a library obeys the shares of its caller, as dw explains them", async () => {
  await stack.startDirectory();
  await stack.startWatson();
  await stack.startInstance({ service: "emitter", name: "old", version: "1" });
  await stack.startInstance({ service: "emitter", name: "new", version: "2" });
  await stack.lists("emitter", { old: "live", new: "live" });
  const library = await startLibrary("shop");
  expect(await library.resolve("emitter", { count: 10 })).toEqual({ old: 10 });
  expect(await library.resolve("emitter", { version: "2.0", count: 10 })).toEqual({ new: 10 });
  expect(await stack.dw("route", "add", "//shop", "//emitter(2)", "10%")).toMatchObject({ code: 0 });
  await eventually(async () => expect((await library.resolve("emitter", { count: 100 }))["new"]).toBeGreaterThan(0));
  const count = 20_000;
  const { new: got = 0 } = await library.resolve("emitter", { count });
  const { shares } = await stack.dwJson<{ shares: { target: string; percent: number }[] }>(
    "explain",
    "shop",
    "emitter",
  );
  const percent = shares.find(({ target }) => target === "//emitter(2)")?.percent ?? 0;
  expect(percent).toBe(10);
  expect(Math.abs(got / count - 0.1)).toBeLessThanOrEqual(5 * Math.sqrt((0.1 * 0.9) / count));
});

test("a library goes on with its table without a directory, also after a restart of its own", async () => {
  const directory = await stack.startDirectory([], { lease: "4s" });
  const watson = await stack.startWatson();
  await stack.startInstance({ service: "emitter", name: "old" });
  await stack.lists("emitter", { old: "live" });
  const table = join(stack.folder, "library", "table.json");
  const first = await startLibrary("shop", { table });
  expect(await first.resolve("emitter")).toEqual({ old: 1 });
  directory.kill("SIGKILL");
  await directory.exited;
  expect(await first.resolve("emitter", { count: 3 })).toEqual({ old: 3 });
  first.child.kill("SIGTERM");
  expect(await first.child.exited).toEqual({ code: 0, signal: null });
  const second = await startLibrary("shop", { table });
  expect(await second.resolve("emitter", { count: 3 })).toEqual({ old: 3 });
  // What has gone while it was away goes from its table too.
  watson.kill("SIGKILL");
  await watson.exited;
  await stack.startDirectory([], { lease: "4s" });
  await stack.lists("emitter", {});
  await eventually(async () => expect(await second.resolve("emitter", { timeout: 0 })).toEqual({ not_found: 1 }));
});

test("a library whose process stood still for longer than its lease is there again, and resolves all the while", async () => {
  await stack.startDirectory([], { lease: "4s" });
  await stack.startWatson();
  await stack.startInstance({ service: "emitter", name: "old" });
  await stack.lists("emitter", { old: "live" });
  const library = await startLibrary("shop", { service: "till" });
  await stack.lists("till", { shop: "live" });
  expect(await library.resolve("emitter")).toEqual({ old: 1 });
  library.child.kill("SIGSTOP");
  await stack.lists("till", {});
  library.child.kill("SIGCONT");
  expect(await library.resolve("emitter", { count: 50 })).toEqual({ old: 50 });
  await stack.lists("till", { shop: "live" });
});

test("a library that is stopped takes its registration with it, and its process ends by itself", async () => {
  await stack.startDirectory();
  const library = await startLibrary("shop", { service: "till" });
  await stack.lists("till", { shop: "live" });
  library.child.kill("SIGTERM");
  expect(await library.child.exited).toEqual({ code: 0, signal: null });
  await eventually(async () =>
    expect((await stack.read<{ services: unknown[] }>("/v1/services")).services).toEqual([]),
  );
});
