import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Load, startLoad } from "./harness/load.ts";
import { Replicas } from "./harness/replicas.ts";
import { scaled } from "./harness/scale.ts";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

vi.setConfig({ testTimeout: scaled(600_000, 180_000) });

let stack: Stack;
let replicas: Replicas;
let load: Load | null = null;
beforeEach(async () => {
  stack = new Stack();
  replicas = await Replicas.start(stack, 2);
});
afterEach(async () => {
  // A load that was stopped already throws: the processes end all the same.
  await load?.stop().catch(() => {});
  load = null;
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
  }[];
}

const shown = async (): Promise<Rollout> =>
  (await replicas.ask<{ rollouts: [Rollout] }>(1, "/v1/rollouts/1")).rollouts[0];

test("a rollout goes on when its judge is killed, every Sherlock, and etcd is away, and does each step once", async () => {
  await Promise.all([
    stack.startWatson({ directories: replicas.list }),
    stack.startInstance({ service: "barker", name: "old", version: "1" }),
    stack.startInstance({ service: "barker", name: "new", version: "2" }),
  ]);
  const sherlock = await stack.startSherlock(replicas.flags.slice(2), { directories: replicas.list });
  await eventually(async () => expect(await replicas.instances(0, "barker")).toBe("new live, old live"), 40_000);
  await stack.reaches("barker", ["old"], 40_000);
  load = startLoad({ url: await stack.url("/barker/"), connections: 10, pauseMs: 48 });
  const file = { target: "//barker(2)", steps: "50%:15s,80%:10s", checks: ["error-rate <= 5%"], undecided: "wait" };
  expect(await replicas.send(0, "POST", "/v1/rollouts", file)).toMatchObject({ status: 200 });
  const before = await eventually(async () => {
    const one = await shown();
    expect(one.steps[0]?.requests).toBeGreaterThan(0);
    return one;
  }, 40_000);
  await replicas.end(0, "SIGKILL");
  sherlock.kill("SIGKILL");
  await sherlock.exited;
  await stack.startSherlock(replicas.flags.slice(2), { directories: replicas.list });
  const taken = await eventually(async () => {
    const one = await shown();
    // On a busy machine all of the first step may have been watched before.
    const watchedMs = one.steps.reduce((sum, step) => sum + step.watchedMs, 0);
    expect(watchedMs).toBeGreaterThan(before.steps[0]?.watchedMs ?? 0);
    return one;
  }, 40_000);
  expect(taken.steps[0]?.startedAt).toBe(before.steps[0]?.startedAt);
  await replicas.etcd.signal("SIGKILL");
  await sleep(AWAY_MS);
  await replicas.etcd.start();
  await eventually(async () => expect((await shown()).state).toBe("promoted"), 90_000);
  const { history } = await replicas.ask<{ history: { action: string }[] }>(1, "/v1/routes/history");
  const acts = history.flatMap(({ action }) => /step \d of 2|promotes/.exec(action)?.[0] ?? []);
  expect(acts).toEqual(["promotes", "step 2 of 2", "step 1 of 2"]);
  const served = await load.stop();
  load = null;
  expect(served.failures).toEqual([]);
});
