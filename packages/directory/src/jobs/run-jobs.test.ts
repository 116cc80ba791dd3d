import { createAttentiveClock, noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, onTestFinished, test } from "vitest";
import { Faults } from "../problems/faults.ts";
import { ChangeExecutor } from "../changes/change-executor.ts";
import { createJobs } from "./jobs.ts";
import { runJobs } from "./run-jobs.ts";
import { SnapshotReplicator } from "./snapshot-replicator.ts";
import { Publisher } from "../feed/publisher.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { createState, state as stateSet, unobserved } from "../testing/worlds.ts";
import { Judge } from "../rollouts/judge.ts";
import { StepCounts } from "../stats/step-counts.ts";
import { momentOf } from "../model/moment.ts";

/** Everything that keeping house takes, running. */
function start({ warmUpMs = 1_000_000 } = {}) {
  const fake = createFakeClock();
  const ended = new AbortController();
  const clock = { ...createAttentiveClock(fake, ended.signal), advance: fake.advance, stall: fake.stall };
  const store = new MemoryStore();
  const state = createState();
  const said: string[] = [];
  const tell = (message: string): void => void said.push(message);
  const log = { ...noLog, info: tell, error: tell };
  const publisher = new Publisher(state.writer, { clock, epoch: "e", published: () => {} });
  const executor = new ChangeExecutor({
    board: new ProblemBoard(),
    state,
    store,
    clock,
    log,
    observer: unobserved,
  });
  const stopping = new AbortController();
  const faults = new Faults();
  const replicator = new SnapshotReplicator(store.replication, { registry: state.registry, store, clock, log });
  const judge = new Judge(
    { id: "own", alone: true },
    {
      state,
      executor,
      counts: new StepCounts(),
      position: () => ({ epoch: "e", revision: 0 }),
      questions: {
        query: async () => ({ why: "is not asked" }),
        agrees: async () => ({ why: "is not asked", isSilent: true }),
      },
      watchers: () => 0,
      replicas: () => [],
    },
  );
  const deps = { judge, state, executor, publisher, store, replicator, faults, clock, log };
  const running = runJobs(createJobs({ warmUpMs }, deps), deps, stopping.signal);
  onTestFinished(async () => {
    stopping.abort();
    await running;
    ended.abort();
  });
  return { clock, store, state, said, faults };
}

test("runJobs() saves registrations that could not be saved as soon as they can be", async () => {
  const { clock, store, state, said } = start();
  store.failing = true;
  stateSet(state, "vm1", ["barker@a:1", "barker@b:1"]);
  await clock.advance(2_000);
  expect(store.registrations.size).toBe(0);
  expect(store.outage).not.toBe(null);
  stateSet(state, "vm1", ["barker@b:2", "barker@c:1"]);
  await clock.advance(60_000);
  expect(said.filter((message) => message.startsWith("Registrations not saved"))).toHaveLength(1);
  expect(said.filter((message) => message.startsWith("Store cannot be written"))).toHaveLength(1);

  store.failing = false;
  await clock.advance(6_000);
  expect(
    [...store.registrations.values()].map(({ registration }) => `${registration.name} ${registration.version}`),
  ).toEqual(["b 2", "c 1"]);
  expect(said.at(-1)).toBe("Store can be written again");
});

test("runJobs() finds out that a store can be written again although there is nothing to write", async () => {
  const { clock, store, said } = start();
  store.outage = { sinceMs: 0, reason: "the disk is full" };
  await clock.advance(2_000);
  expect(store.outage).toBe(null);
  expect(said).toEqual(["Store cannot be written, taking no changes", "Store can be written again"]);
});

test("runJobs() ends leases while the store cannot be written", async () => {
  const { clock, store, state } = start();
  stateSet(state, "vm1", ["barker@a:1"]);
  state.registry.detach("id-of-vm1", momentOf(clock));
  store.failing = true;
  await clock.advance(20_000);
  expect(state.table.size.instances).toBe(0);
});

test("runJobs() ends no lease that came due while the directory stood still", async () => {
  const { clock, state } = start();
  stateSet(state, "vm1", ["barker@a:1"]);
  state.registry.detach("id-of-vm1", momentOf(clock));
  await clock.advance(10_000);
  clock.stall(60_000);
  await clock.advance(0); // timers come before what Watsons said meanwhile is read
  expect(state.table.size.instances).toBe(1);
  await clock.advance(4_000);
  expect(state.table.size.instances).toBe(1);
  await clock.advance(1_100);
  expect(state.table.size.instances).toBe(0);
});

test("runJobs() ends no warm-up that came due while the directory stood still", async () => {
  const before = createState();
  stateSet(before, "vm1", ["barker@a:1"]);
  const { clock, state, said } = start({ warmUpMs: 15_000 });
  state.registry.restore(before.registry.dirty.take().stored, { moment: momentOf(clock), presumed: true });
  await clock.advance(10_000);
  clock.stall(60_000);
  await clock.advance(0);
  expect(said).not.toContain("Warm-up over");
  stateSet(state, "vm1", ["barker@a:1"]);
  await clock.advance(5_100);
  expect(said).toContain("Warm-up over");
  expect([...state.table.instances()].map((one) => one.state)).toEqual(["live"]);
});

test("runJobs() shows nobody as lost whom it expects back from before a restart, until the warm-up is over", async () => {
  const before = createState();
  stateSet(before, "vm1", ["barker@a:1"]);
  stateSet(before, "vm2", ["barker@b:1"]);
  const { clock, state } = start({ warmUpMs: 15_000 });
  const moment = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  // The lease of these instances is no longer than the warm-up: only the guard keeps them beyond it.
  state.configure({ promotionDelayMs: 0, guard: { share: 0.1, minimum: 1 } });
  state.registry.restore(before.registry.dirty.take().stored, { moment, presumed: true });
  const shown = (): string[] => [...state.table.instances()].map((one) => one.state);
  await clock.advance(14_500);
  expect(shown()).toEqual(["live", "live"]);
  await clock.advance(1_000);
  expect(shown()).toEqual(["lost", "lost"]);
});

test("runJobs() ends no lease from before a restart while Watsons keep coming back", async () => {
  const before = createState();
  const names = ["vm1", "vm2", "vm3", "vm4"];
  for (const name of names) stateSet(before, name, [`barker@${name}:1`]);
  const { clock, state, said } = start({ warmUpMs: 15_000 });
  const moment = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
  state.registry.restore(before.registry.dirty.take().stored, { moment, presumed: true });
  await clock.advance(12_000);
  for (const name of names.slice(0, 3)) {
    stateSet(state, name, [`barker@${name}:1`]);
    await clock.advance(4_500);
    expect(state.table.size.instances).toBe(4);
    expect(said).not.toContain("Warm-up over");
  }
  await clock.advance(1_000);
  expect(state.table.size.instances).toBe(3);
  expect(said).toContain("Warm-up over");
});

test("runJobs() goes on after a tick that failed, and says so once", async () => {
  const { clock, state, said, faults } = start();
  stateSet(state, "vm1", ["barker@a:1"]);
  state.registry.detach("id-of-vm1", momentOf(clock));
  const { endLeases } = state.registry;
  state.registry.endLeases = () => {
    throw new TypeError("leases is not iterable");
  };
  await clock.advance(5_000);
  expect(said.filter((message) => message === "What is due could not be done")).toHaveLength(1);
  expect(faults.problems({ monotonicMs: clock.monotonicMs() })).toMatchObject([
    { severity: "error", subject: "housekeeping", message: expect.stringContaining("leases is not iterable") },
  ]);
  state.registry.endLeases = endLeases;
  await clock.advance(20_000);
  expect(state.table.size.instances).toBe(0);
});
