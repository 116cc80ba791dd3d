import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { type Load, type LoadReport, startLoad } from "./harness/load.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
let load: Load | null = null;
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  // A load that was stopped already throws: the processes end all the same.
  await load?.stop().catch(() => {});
  load = null;
  await stack.dispose();
});

interface Rollout {
  readonly id: string;
  readonly state: string;
  readonly step: number;
  readonly reason: string | null;
  readonly steps: readonly { readonly requests: number; readonly startedAt: string | null; readonly state: string }[];
}

/** Both versions of a service, and some 200 requests a second. */
async function start(failEvery: number): Promise<Child> {
  const directory = await stack.startDirectory();
  await stack.startInstance({ service: "barker", name: "old", version: "1" });
  await stack.startInstance({ service: "barker", name: "odd", version: "1" });
  await stack.startInstance({ service: "barker", name: "new", version: "2", failEvery });
  await stack.startWatson();
  await stack.startSherlock();
  await stack.lists("barker", { old: "live", odd: "live", new: "live" });
  await stack.reaches("barker", ["odd", "old"]);
  load = startLoad({ url: await stack.url("/barker/"), connections: 10, pauseMs: 48 });
  return directory;
}

const shown = async (id = "1"): Promise<Rollout> =>
  (await stack.read<{ rollouts: [Rollout] }>(`/v1/rollouts/${id}`)).rollouts[0];
const tables = async (): Promise<unknown> => (await stack.read<{ tables: unknown }>("/v1/table")).tables;

test("a version that fails 5% of its requests is taken back soon, and gets no request afterwards", async () => {
  await start(20);
  await stack.addRoute("//*", "//barker@odd", "7%");
  const before = await tables();
  const started = await stack.dw("rollout", "start", "//barker(2)", "--steps", "10%:5m,50%:5m");
  expect(started).toMatchObject({ code: 0, stdout: "Rollout 1 of //barker(2) has begun with 10%\n" });
  const rollout = await eventually(async () => {
    const one = await shown();
    expect(one.state).toBe("rolled-back");
    return one;
  });
  expect(rollout.reason).toMatch(/^error-rate <= primary \+ 1% failed: /);
  // Of 20 a second, those of less than 30 s.
  expect(rollout.steps[0]?.requests).toBeLessThan(600);
  expect(await tables()).toEqual(before);
  await stack.followed();
  await stack.reaches("barker", ["odd", "old"]);
  // What was under way to it has come by then.
  const during = (await load?.stop()) as LoadReport;
  const last = await lastRequest("new");
  load = startLoad({ url: await stack.url("/barker/"), connections: 10 });
  await eventually(() => expect(load?.count()).toBeGreaterThan(1_000));
  expect(await lastRequest("new")).toBe(last);
  // What it has failed is what its share was for.
  expect(during.failures.length).toBeLessThan(60);
});

test("a rollout goes on at the same step after kill -9 of its directory, and dw waits through that", async () => {
  const directory = await start(0);
  const waiting = stack.start("dw", [
    "-d",
    await stack.directoryAddress(),
    "rollout",
    "start",
    "//barker(2)",
    "--steps",
    "50%:1h",
    "--check",
    "error-rate <= 5%",
    "--wait",
  ]);
  const before = await eventually(async () => {
    const one = await shown();
    expect(one.steps[0]?.requests).toBeGreaterThan(0);
    return one;
  });
  const routes = await tables();
  directory.kill("SIGKILL");
  await directory.exited;
  await stack.startDirectory();
  const after = await shown();
  expect(after).toMatchObject({ state: "running", step: 0, steps: [{ startedAt: before.steps[0]?.startedAt }] });
  expect(after.steps[0]?.requests).toBeGreaterThanOrEqual(before.steps[0]?.requests ?? 0);
  expect(await tables()).toEqual(routes);
  await eventually(async () => {
    const [now, then] = [await shown(), after].map(({ steps }) => steps[0]?.requests ?? 0) as [number, number];
    expect(now).toBeGreaterThan(then);
  });
  expect(await stack.dw("rollout", "promote", "//barker")).toMatchObject({ code: 0 });
  expect(await waiting.exited).toMatchObject({ code: 0 });
  expect(waiting.lines.join("\n")).toMatch(/^Rollout 1 [^]*\/\/barker\(2\) promoted$/);
  expect(await tables()).toEqual([]);
  await stack.reaches("barker", ["new"]);
  const served = await load?.stop();
  load = null;
  expect(served?.failures).toEqual([]);
});

test("users that have version 2 keep it while its share grows, and all go back at once", async () => {
  await start(0);
  const users = Array.from({ length: 150 }, (_, i) => `user-${i}`);
  const url = await stack.url("/barker/");
  const onNew = async (): Promise<string[]> => {
    const seen = await Promise.all(users.map((user) => instanceAt(url, { "X-User": user })));
    return users.filter((_, i) => seen[i] === "new");
  };
  const sticky = ["--steps", "10%:1h,50%:1h", "--sticky", "header:X-User"];
  expect(await stack.dw("rollout", "start", "//barker(2)", ...sticky)).toMatchObject({ code: 0 });
  await stack.followed();
  // A connection of before is answered once more by the HAProxy that it was made to.
  await onNew();
  const few = await onNew();
  expect(few.length).toBeGreaterThan(3);
  expect(await onNew()).toEqual(few);
  expect(await stack.dw("rollout", "promote", "//barker", "--step")).toMatchObject({ code: 0 });
  await stack.followed();
  await onNew();
  const many = await onNew();
  expect(many.length).toBeGreaterThan(45);
  expect(many).toEqual(expect.arrayContaining(few));
  expect(await stack.dw("rollout", "abort", "//barker", "--reason", "enough")).toMatchObject({ code: 0 });
  await eventually(async () => expect(await onNew()).toEqual([]));
  expect(await tables()).toEqual([]);
});

async function lastRequest(name: string): Promise<number> {
  const { services } = await stack.read<{ services: { instances: { name: string; url: string }[] }[] }>("/v1/services");
  const url = services.flatMap(({ instances }) => instances).find((one) => one.name === name)?.url ?? "";
  return ((await (await fetch(`${url}/last`)).json()) as { lastMs: number }).lastMs;
}
