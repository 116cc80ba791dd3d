import { noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { describe, expect, test } from "vitest";
import { SnapshotReplicator } from "./snapshot-replicator.ts";
import { momentOf } from "../model/moment.ts";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import { createState, state as stateSet } from "../testing/worlds.ts";

/** A store that takes its time, and counts its saves. */
class SlowStore extends MemoryStore {
  saves = 0;
  readonly #clock: ReturnType<typeof createFakeClock>;

  constructor(clock: ReturnType<typeof createFakeClock>) {
    super();
    this.#clock = clock;
  }

  override async saveRegistrations(...changes: Parameters<MemoryStore["saveRegistrations"]>): Promise<void> {
    this.saves += 1;
    await this.#clock.sleep(10);
    return super.saveRegistrations(...changes);
  }
}

function create() {
  const clock = createFakeClock();
  const store = new SlowStore(clock);
  const state = createState();
  const replicator = new SnapshotReplicator(store.replication, { registry: state.registry, store, clock, log: noLog });
  /** Asks for what was said to be saved; tells when it is. */
  const ask = () => {
    const asked = { isSaved: false };
    void replicator.saved().then(() => (asked.isSaved = true));
    return asked;
  };
  return { clock, store, state, replicator, ask };
}

describe("SnapshotReplicator.saved()", () => {
  test("resolves once what was said is in the store", async () => {
    const { clock, store, state, ask } = create();
    stateSet(state, "vm1", ["x@a:1"]);
    const asked = ask();
    await clock.advance(9);
    expect([asked.isSaved, store.registrations.size]).toEqual([false, 0]);
    await clock.advance(1);
    expect([asked.isSaved, store.registrations.size]).toEqual([true, 1]);
  });

  test("saves together what is said while it rests from the last save", async () => {
    const { clock, store, state, ask } = create();
    stateSet(state, "vm1", ["x@a:1"]);
    const first = ask();
    await clock.advance(5);
    const others = ["vm2", "vm3", "vm4"].map((name) => {
      stateSet(state, name, [`x@${name}:1`]);
      return ask();
    });
    await clock.advance(5);
    expect([first.isSaved, ...others.map(({ isSaved }) => isSaved)]).toEqual([true, false, false, false]);
    await clock.advance(10);
    expect(others.map(({ isSaved }) => isSaved)).toEqual([true, true, true]);
    expect(store.saves).toBe(2);
    stateSet(state, "vm5", ["x@e:1"]);
    ask();
    await clock.advance(89);
    expect(store.saves).toBe(2);
    await clock.advance(1);
    expect(store.saves).toBe(3);
  });

  test("waits for a save that somebody else has begun", async () => {
    const { clock, store, state, replicator, ask } = create();
    stateSet(state, "vm1", ["x@a:1"]);
    void replicator.save();
    await clock.advance(1);
    const asked = ask();
    await clock.advance(8);
    expect(asked.isSaved).toBe(false);
    await clock.advance(1);
    expect(asked.isSaved).toBe(true);
    expect(store.saves).toBe(1);
  });

  test("keeps nobody waiting for a store that takes nothing", async () => {
    const { clock, store, state, replicator, ask } = create();
    store.failing = true;
    stateSet(state, "vm1", ["x@a:1"]);
    const first = ask();
    await clock.advance(10);
    const second = ask();
    await clock.advance(0);
    expect([first.isSaved, second.isSaved]).toEqual([true, true]);
    store.failing = false;
    const saved = replicator.save();
    await clock.advance(10);
    expect(await saved).toBe(true);
    expect(store.registrations.size).toBe(1);
  });
});

test("SnapshotReplicator.end() saves what is left, and answers for nothing that is said after it", async () => {
  const { clock, store, state, replicator, ask } = create();
  stateSet(state, "vm1", ["x@a:1"]);
  const ended = replicator.end();
  await clock.advance(10);
  await ended;
  expect(store.registrations.size).toBe(1);
  stateSet(state, "vm2", ["x@b:1"]);
  const asked = ask();
  await clock.advance(60_000);
  expect([asked.isSaved, store.registrations.size]).toEqual([false, 1]);
});

test("SnapshotReplicator.run() saves what nobody waits for within a second or so, and nothing when all is saved", async () => {
  const { clock, store, state, replicator } = create();
  const run = async (): Promise<void> => {
    const ran = replicator.run(momentOf(clock));
    await clock.advance(10);
    await ran;
  };
  await run();
  await clock.advance(2_000);
  await run();
  expect(store.saves).toBe(0);
  stateSet(state, "vm1", ["x@a:1"]);
  await run();
  expect(store.saves).toBe(0);
  await clock.advance(1_000);
  await run();
  expect([store.saves, store.registrations.size]).toEqual([1, 1]);
});
