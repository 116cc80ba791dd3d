import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { startLoad } from "./harness/load.ts";
import { scaled } from "./harness/scale.ts";
import { type Instance, Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

let stack: Stack;
let directory: Child;
let a: Instance;
let b: Instance;
beforeEach(async () => {
  stack = new Stack();
  directory = await stack.startDirectory();
  a = await stack.startInstance({ service: "emitter", name: "a" });
  b = await stack.startInstance({ service: "emitter", name: "b" });
});
afterEach(() => stack.dispose());

interface WatchedChange {
  readonly subject: string;
  readonly message: string;
}

/** Follows every change of the table with `dw watch`, to see what is too short for a poll. */
async function watchChanges(touch: () => void): Promise<() => WatchedChange[]> {
  const child = stack.start("dw", ["-d", await stack.directoryAddress(), "watch", "--json"]);
  // It says nothing until something changes, so something has to.
  await eventually(() => {
    touch();
    if (child.lines.length === 0) throw new Error("dw watch has told nothing yet");
  });
  return () => child.lines.map((line) => JSON.parse(line) as WatchedChange);
}

test("edits of service files that leave the URL alone take no instance out, not for a moment", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.reaches("emitter", ["a", "b"]);
  const load = startLoad({ url: await stack.url("/emitter/"), connections: 4, pauseMs: 10 });
  let edits = 0;
  const edit = (): object => ({
    service: "//emitter",
    version: "1",
    url: a.url,
    instance: "a",
    tags: [`edit${edits++}`],
  });
  const changes = await watchChanges(() => stack.writeServiceFile("a", edit()));
  for (let i = 0; i < scaled(100, 12); i++) {
    const file = edit();
    if (i % 3 === 0) stack.writeServiceFile("a", file);
    else if (i % 3 === 1) replaceAtomically("a", stringify(file));
    // Half a file, as an editor that was interrupted leaves it: its last good version stays in force.
    else stack.writeServiceFile("a", 'service: //emitter\nversion: "1');
    await sleep(150);
  }
  const seen = changes().length;
  stack.writeServiceFile("a", { service: "//emitter", version: "1", url: a.url, instance: "a", tags: ["last"] });
  await eventually(async () => {
    const { services } = await stack.read<{ services: { instances: { name: string; tags: string[] }[] }[] }>(
      "/v1/services",
    );
    expect(services[0]?.instances.find(({ name }) => name === "a")?.tags).toEqual(["last"]);
  });
  await eventually(() => expect(changes().length).toBeGreaterThan(seen));
  expect(changes().filter(({ message }) => !message.startsWith("changed"))).toEqual([]);
  expect((await load.stop()).failures).toEqual([]);
});

function replaceAtomically(name: string, content: string): void {
  const temporary = join(stack.folder, `${name}.new`);
  writeFileSync(temporary, content);
  renameSync(temporary, join(stack.serviceFolder, `${name}.yaml`));
}

test("a directory that is away costs no instance, and finds all of them when it is back", async () => {
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.reaches("emitter", ["a", "b"]);
  const load = startLoad({ url: await stack.url("/emitter/"), connections: 4, pauseMs: 10 });
  directory.kill("SIGKILL");
  await directory.exited;
  await sleep(scaled(60_000, 3_000));
  await stack.startDirectory();
  await stack.lists("emitter", { a: "live", b: "live" });
  expect((await load.stop()).failures).toEqual([]);
});

test("a folder of links that is switched as a whole, as configuration mounts do, is followed", async () => {
  const mount = join(stack.folder, "mount");
  mkdirSync(mount);
  const release = (name: string, instances: readonly Instance[]): void => {
    mkdirSync(join(mount, name));
    for (const { name: instance, url } of instances) {
      writeFileSync(
        join(mount, name, `${instance}.yaml`),
        stringify({ service: "//mounted", version: "1", url, instance, drain: "0s" }),
      );
    }
    symlinkSync(name, join(mount, "data.new"));
    renameSync(join(mount, "data.new"), join(mount, "data"));
  };
  release("one", [a]);
  await stack.startWatson({ services: [join(mount, "data")] });
  await stack.lists("mounted", { a: "live" });
  release("two", [a, b]);
  await stack.lists("mounted", { a: "live", b: "live" });
  rmSync(join(mount, "one"), { recursive: true });
  release("three", [b]);
  await stack.lists("mounted", { b: "live" });
});

test("two files that claim one instance are told by name, and the first stays", async () => {
  const watson = await stack.startWatson();
  await stack.lists("emitter", { a: "live", b: "live" });
  stack.writeServiceFile("z", { service: "//emitter", version: "1", url: b.url, instance: "a" });
  await watson.line((line) => /a\.yaml/.test(line) && /z\.yaml/.test(line));
  await stack.lists("emitter", { a: "live", b: "live" });
});

test("SIGTERM announces the drain, withdraws, and ends with 0", async () => {
  const watson = await stack.startWatson();
  await stack.startSherlock();
  await stack.reaches("emitter", ["a", "b"]);
  const lastRequest = async (): Promise<number> => {
    const answers = await Promise.all([a, b].map(async ({ url }) => (await fetch(`${url}/last`)).json()));
    return Math.max(...(answers as { lastMs: number }[]).map(({ lastMs }) => lastMs));
  };
  const before = await lastRequest();
  await sleep(2); // what it tells is in milliseconds
  const slow = fetch(await stack.url("/emitter/?ms=300"));
  await eventually(async () => expect(await lastRequest()).toBeGreaterThan(before));
  watson.kill("SIGTERM");
  expect((await slow).status).toBe(200);
  expect(await watson.exited).toEqual({ code: 0, signal: null });
  await stack.lists("emitter", {});
});

test("a drained instance stays drained across Watson's restart, until it is resumed", async () => {
  let watson = await stack.startWatson();
  await stack.lists("emitter", { a: "live", b: "live" });
  expect(await stack.dw("instance", "drain", "//emitter@a")).toMatchObject({ code: 0 });
  await stack.lists("emitter", { a: "draining", b: "live" });
  watson.kill("SIGKILL");
  await watson.exited;
  watson = await stack.startWatson();
  await stack.lists("emitter", { a: "draining", b: "live" });
  expect(await stack.dw("instance", "resume", "//emitter@a")).toMatchObject({ code: 0 });
  await stack.lists("emitter", { a: "live", b: "live" });
});

test("a flapping instance is held down until it is calm, and says so", async () => {
  await stack.startWatson();
  await stack.lists("emitter", { a: "live", b: "live" });
  await eventually(async () => {
    await a.sick(true);
    await sleep(150);
    await a.sick(false);
    await sleep(150);
    const { services } = await stack.read<{ services: { instances: { name: string; reason: string | null }[] }[] }>(
      "/v1/services",
    );
    expect(services[0]?.instances.find(({ name }) => name === "a")?.reason).toMatch(/flap/i);
  });
});
