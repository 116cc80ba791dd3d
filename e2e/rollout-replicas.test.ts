import { afterEach, beforeEach, expect, test } from "vitest";
import { join } from "node:path";
import type { Child } from "./harness/child.ts";
import { type Load, type LoadReport, startLoad } from "./harness/load.ts";
import { freePorts } from "@datawire/runtime/testing";
import { Replicas } from "./harness/replicas.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

let stack: Stack;
let replicas: Replicas;
const loads: Load[] = [];
beforeEach(async () => {
  stack = new Stack();
  replicas = await Replicas.start(stack, 2);
});
afterEach(async () => {
  // A load that was stopped already throws: the processes end all the same.
  await Promise.all(loads.splice(0).map((load) => load.stop().catch(() => {})));
  await stack.dispose();
  await replicas.dispose();
});

/** For how long etcd is away. */
const AWAY_MS = scaled(30_000, 6_000);

interface Rollout {
  readonly state: string;
  readonly step: number;
  readonly steps: readonly {
    readonly requests: number;
    readonly watchedMs: number;
    readonly startedAt: string | null;
    readonly checks: readonly { readonly target: number | null }[];
  }[];
}

const shown = async (): Promise<Rollout> =>
  (await replicas.ask<{ rollouts: [Rollout] }>(1, "/v1/rollouts/1")).rollouts[0];

/** A Sherlock beside that of the stack, with what a caller of it asks. */
async function secondSherlock(): Promise<{ start(): Promise<Child>; readonly url: string }> {
  const [port] = (await freePorts(1)) as [number];
  const file = stack.writeSherlockSettings({ directories: replicas.list, name: "worker" });
  const folder = join(stack.folder, "worker");
  const args = ["-c", file, "--listen", `127.0.0.1:${port}`, "--run-dir", folder, "--data-dir", join(folder, "data")];
  return {
    url: `http://127.0.0.1:${port}/barker/`,
    async start() {
      const child = stack.start("sherlock", [...args, "--log-format", "json"]);
      await child.line((line) => /is ready"/.test(line));
      return child;
    },
  };
}

async function stopLoads(): Promise<LoadReport[]> {
  return Promise.all(loads.splice(0).map((load) => load.stop()));
}

test("a rollout goes on when its judge is killed, every Sherlock, and etcd is away, and does each step once", async () => {
  await Promise.all([
    stack.startWatson({ directories: replicas.list }),
    stack.startInstance({ service: "barker", name: "old", version: "1" }),
    stack.startInstance({ service: "barker", name: "new", version: "2" }),
  ]);
  const sherlock = await stack.startSherlock(replicas.flags.slice(2), { directories: replicas.list });
  await eventually(async () => expect(await replicas.instances(0, "barker")).toBe("new live, old live"));
  const byHand = { source: "//*", target: "//barker(2)", percent: 30 };
  expect(await replicas.send(0, "POST", "/v1/routes", byHand)).toMatchObject({ status: 200 });
  await stack.reaches("barker", ["new", "old"]);
  const traffic = { url: await stack.url("/barker/"), connections: 10, pauseMs: 48 };
  // What HAProxy has counted before is none of the rollout's, whoever adopts it later.
  loads.push(startLoad(traffic));
  await eventually(() => expect(loads[0]?.count()).toBeGreaterThan(800));
  await stopLoads();

  const file = { target: "//barker(2)", steps: "50%:15s,80%:10s", checks: ["error-rate <= 5%"], undecided: "wait" };
  expect(await replicas.send(0, "POST", "/v1/rollouts", file)).toMatchObject({ status: 200 });
  loads.push(startLoad(traffic));
  const before = await eventually(async () => {
    const one = await shown();
    expect(one.steps[0]?.requests).toBeGreaterThan(0);
    return one;
  });
  await replicas.end(0, "SIGKILL");
  await killed(sherlock);
  // One that was there, and one that comes late.
  const second = await secondSherlock();
  const late = await second.start();
  stack.writeSherlockSettings({ directories: replicas.list });
  await stack.startSherlock(replicas.flags.slice(2), { directories: replicas.list });
  loads.push(startLoad({ ...traffic, url: second.url }));
  const taken = await eventually(async () => {
    const one = await shown();
    // On a busy machine all of the first step may have been watched before.
    const watchedMs = one.steps.reduce((sum, step) => sum + step.watchedMs, 0);
    expect(watchedMs).toBeGreaterThan(before.steps[0]?.watchedMs ?? 0);
    return one;
  });
  expect(taken.steps[0]?.startedAt).toBe(before.steps[0]?.startedAt);
  await killed(late);
  await second.start();
  await replicas.etcd.signal("SIGKILL");
  await sleep(AWAY_MS);
  await replicas.etcd.start();
  const ended = await eventually(async () => {
    const one = await shown();
    expect(one.state).toBe("promoted");
    return one;
  });
  const { history } = await replicas.ask<{ history: { action: string }[] }>(1, "/v1/routes/history");
  const acts = history.flatMap(({ action }) => /step \d of 2|promotes/.exec(action)?.[0] ?? []);
  expect(acts).toEqual(["promotes", "step 2 of 2", "step 1 of 2"]);
  const reports = await stopLoads();
  expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
  const served = reports.reduce((sum, { byVersion }) => sum + (byVersion.get("2") ?? 0), 0);
  expect(ended.steps.reduce((sum, { requests }) => sum + requests, 0)).toBeLessThanOrEqual(served);
  expect(ended.steps.map(({ checks }) => checks[0]?.target)).toEqual([0, 0]);
});

test("while the store takes nothing nothing is judged, and no step is skipped when it comes back", async () => {
  await Promise.all([
    stack.startWatson({ directories: replicas.list }),
    stack.startInstance({ service: "barker", name: "old", version: "1" }),
    stack.startInstance({ service: "barker", name: "new", version: "2" }),
  ]);
  await eventually(async () => expect(await replicas.instances(0, "barker")).toBe("new live, old live"));
  // A query needs no traffic: its time would pass.
  const checks = [{ metric: "m", prometheus: replicas.url(0), query: "x", limit: "<= 1" }];
  const file = { target: "//barker(2)", steps: "10%:1s,20%:1s,50%:1s", checks, no_data: "pass", step_timeout: "2s" };
  const isReadOnly = async (): Promise<boolean> =>
    (await Promise.all([0, 1].map((i) => replicas.status(i)))).every(
      ({ directory }) => directory.state === "read-only",
    );
  expect(await replicas.send(0, "POST", "/v1/rollouts", file)).toMatchObject({ status: 200 });
  await eventually(async () => expect((await shown()).step).toBeGreaterThan(0));
  await replicas.etcd.signal("SIGSTOP");
  await eventually(async () => expect(await isReadOnly()).toBe(true));
  const frozen = await shown();
  expect((await replicas.send(0, "POST", "/v1/rollouts/1/abort", {})).status).toBe(503);
  await sleep(AWAY_MS);
  expect(await shown()).toEqual(frozen);
  await replicas.etcd.signal("SIGCONT");
  await eventually(async () => expect((await shown()).state).toBe("promoted"));
  const { history } = await replicas.ask<{ history: { action: string }[] }>(1, "/v1/routes/history");
  const acts = history.flatMap(({ action }) => /step \d of 3|promotes/.exec(action)?.[0] ?? []);
  expect(acts).toEqual(["promotes", "step 3 of 3", "step 2 of 3", "step 1 of 3"]);
});

async function killed(child: Child): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}
