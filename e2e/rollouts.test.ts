import { afterEach, beforeEach, expect, test } from "vitest";
import { type Load, type LoadReport, startLoad } from "./harness/load.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
let load: Load | null = null;
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  await load?.stop();
  load = null;
  await stack.dispose();
});

interface Rollout {
  readonly id: string;
  readonly state: string;
  readonly step: number;
  readonly reason: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly steps: readonly { readonly requests: number; readonly startedAt: string | null; readonly state: string }[];
}

/** Both versions of a service, and some 200 requests a second. */
async function start(failEvery: number): Promise<void> {
  await stack.startDirectory();
  await stack.startInstance({ service: "barker", name: "old", version: "1" });
  await stack.startInstance({ service: "barker", name: "odd", version: "1" });
  await stack.startInstance({ service: "barker", name: "new", version: "2", failEvery });
  await stack.startWatson();
  await stack.startSherlock();
  await stack.lists("barker", { old: "live", odd: "live", new: "live" });
  await stack.reaches("barker", ["odd", "old"]);
  load = startLoad({ url: await stack.url("/barker/"), connections: 10, pauseMs: 48 });
}

const shown = async (id = "1"): Promise<Rollout> =>
  (await stack.read<{ rollouts: [Rollout] }>(`/v1/rollouts/${id}`)).rollouts[0];
const tables = async (): Promise<unknown> => (await stack.read<{ tables: unknown }>("/v1/table")).tables;

test("a version that fails 5% of its requests is taken back within 30 s, and gets no request afterwards", async () => {
  await start(20);
  await stack.dw("route", "add", "//*", "//barker@odd", "7%");
  const before = await tables();
  const started = await stack.dw("rollout", "start", "//barker(2)", "--steps", "10%:5m,50%:5m");
  expect(started).toMatchObject({ code: 0, stdout: "Rollout 1 of //barker(2) has begun with 10%\n" });
  const rollout = await eventually(async () => {
    const one = await shown();
    expect(one.state).toBe("rolled-back");
    return one;
  }, 60_000);
  expect(rollout.reason).toMatch(/^error-rate <= primary \+ 1% failed: /);
  expect(Date.parse(rollout.endedAt ?? "") - Date.parse(rollout.startedAt)).toBeLessThan(30_000);
  expect(await tables()).toEqual(before);
  await stack.reaches("barker", ["odd", "old"]);
  const last = await lastRequest("new");
  const during = (await load?.stop()) as LoadReport;
  load = startLoad({ url: await stack.url("/barker/"), connections: 10 });
  await eventually(() => expect(load?.count()).toBeGreaterThan(1_000));
  expect(await lastRequest("new")).toBe(last);
  // What it has failed is what its share was for.
  expect(during.failures.length).toBeLessThan(60);
});

async function lastRequest(name: string): Promise<number> {
  const { services } = await stack.read<{ services: { instances: { name: string; url: string }[] }[] }>("/v1/services");
  const url = services.flatMap(({ instances }) => instances).find((one) => one.name === name)?.url ?? "";
  return ((await (await fetch(`${url}/last`)).json()) as { lastMs: number }).lastMs;
}
