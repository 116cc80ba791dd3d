import type { RolloutListing } from "@datawire/api";
import { systemChance } from "@datawire/runtime";
import { createFakeClock, type FakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MemoryEtcd } from "../testing/memory/memory-etcd.ts";
import { type MemorySocket, type ServedInMemory, serveInMemory, until } from "../testing/memory/served-in-memory.ts";
import { type Client, sherlockOf, watsonOf } from "../testing/served.ts";
import { registration } from "../testing/worlds.ts";

let clock: FakeClock;
let etcd: MemoryEtcd;
const open = new Set<ServedInMemory>();
beforeEach(() => {
  clock = createFakeClock();
  etcd = new MemoryEtcd(clock, systemChance);
});
afterEach(async () => {
  for (const served of open) await end(served);
});

async function start(name: string): Promise<ServedInMemory> {
  const store = await until(clock, etcd.open({ name, clock }, { leaseMs: 9_000 }));
  const served = await serveInMemory({ store, clock, leaseMs: 9_000 });
  open.add(served);
  return served;
}

async function end(served: ServedInMemory): Promise<void> {
  open.delete(served);
  await served.stop();
}

/** Two directories, each with a Sherlock; the Watson is connected to the one that stays. */
async function startTwo() {
  const [a, b] = [await start("a"), await start("b")];
  await watsonOf(b, "vm1", [registration("barker@a:1"), registration("barker@b:2")]);
  const sherlocks = [await sherlockOf(a, "monolith"), await sherlockOf(b, "worker")];
  await clock.advance(1_000);
  return { a, b, sherlocks };
}

const shown = async (served: ServedInMemory): Promise<RolloutListing> =>
  ((await served.get("/v1/rollouts/1")).body["rollouts"] as [RolloutListing])[0];

/** Five seconds of traffic at each Sherlock. */
async function pass(sherlocks: readonly Client<MemorySocket>[], reports: number): Promise<void> {
  const line = (version: string, instance: string, requests: number) => ({
    service: "barker",
    version,
    instance,
    requests,
    responses: [0, requests, 0, 0, 0],
    failures: 0,
    latencyMs: null,
  });
  for (let i = 0; i < reports; i++) {
    await clock.advance(5_000);
    for (const sherlock of sherlocks)
      sherlock.send({ type: "counters", periodMs: 4_900, counters: [line("2", "b", 100), line("1", "a", 900)] });
  }
  await clock.advance(6_000);
}

test("what the Sherlocks of all directories count is judged by one, and another takes over within 10 s", async () => {
  const { a, b, sherlocks } = await startTwo();
  const started = await a.send("POST", "/v1/rollouts", { target: "//barker(2)", steps: "10%:5m,50%:5m" });
  expect(started.status).toBe(200);
  await pass(sherlocks, 4);
  const first = await shown(a);
  expect(first.steps[0]).toMatchObject({ requests: 800, state: "running" });
  expect(await shown(b)).toMatchObject({ step: 0, state: "running" });
  await end(a);
  await clock.advance(10_000);
  const taken = await shown(b);
  expect(taken.steps[0]?.watchedMs).toBeGreaterThan(first.steps[0]?.watchedMs ?? 0);
  await pass(sherlocks.slice(1), 2);
  const later = await shown(b);
  expect(later).toMatchObject({ state: "running", step: 0 });
  expect(later.steps[0]?.startedAt).toBe(first.steps[0]?.startedAt);
  expect(later.steps[0]?.requests).toBe(1_000);
});

test("no step is done twice: each directory sees each once, and one change sets it", async () => {
  const { a, b, sherlocks } = await startTwo();
  await a.send("POST", "/v1/rollouts", { target: "//barker(2)", steps: "10%:10s,20%:10s,50%:10s", undecided: "wait" });
  await pass(sherlocks, 5);
  await end(a);
  await pass(sherlocks.slice(1), 24);
  expect(await shown(b)).toMatchObject({ state: "promoted" });
  const { history } = (await b.get("/v1/routes/history")).body as { history: { action: string }[] };
  const steps = history.flatMap(({ action }) => /step \d of 3|promotes/.exec(action)?.[0] ?? []);
  expect(steps).toEqual(["promotes", "step 3 of 3", "step 2 of 3", "step 1 of 3"]);
  expect(etcd.keysOf("records").filter((key) => key.includes("tally/"))).toEqual([]);
});

test("a directory that does not reach the store judges nothing, and the other one does", async () => {
  const { a, b, sherlocks } = await startTwo();
  await a.send("POST", "/v1/rollouts", { target: "//barker(2)", steps: "10%:5m" });
  await pass(sherlocks, 2);
  const before = await shown(b);
  etcd.hide("a", 30_000);
  await pass(sherlocks, 5);
  const during = await shown(b);
  expect(during.steps[0]?.watchedMs).toBeGreaterThan((before.steps[0]?.watchedMs ?? 0) + 10_000);
  await clock.advance(30_000);
  await pass(sherlocks, 3);
  // What was counted at the other one meanwhile is not lost either: it is stored once that can be.
  expect((await shown(b)).steps[0]?.requests).toBe(2_000);
  expect((await shown(a)).steps[0]?.startedAt).toBe(before.steps[0]?.startedAt);
});
