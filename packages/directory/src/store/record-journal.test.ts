import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { MemoryStore } from "../testing/memory/memory-store.ts";
import type { VersionedRecord } from "./contract.ts";
import { RecordJournal } from "./record-journal.ts";

interface Note {
  readonly key: string;
  readonly value: number | null;
}

function read(key: string, value: unknown): Note {
  if (value === null || typeof value === "number") return { key, value };
  throw new Error("it is no number");
}

/** A journal of numbers, with what it has made of them. */
function open(store = new MemoryStore()) {
  const known = new Map<string, number>();
  const told: string[][] = [];
  const board = new ProblemBoard();
  const recorded = {
    read,
    keyOf: ({ key }: Note) => key,
    apply({ key, value }: Note): void {
      if (value === null) known.delete(key);
      else known.set(key, value);
    },
    leftOut(): void {},
    applied: (records: readonly Note[]) => void told.push(records.map(({ key, value }) => `${key} ${value}`)),
  };
  const journal = new RecordJournal("numbers", recorded, { store, clock: createFakeClock(), log: noLog, board });
  const begin = async () => journal.begin(await store.load());
  const increment = () =>
    journal.change(() => {
      const value = (known.get("n") ?? 0) + 1;
      return { records: [{ key: "n", value }], result: value };
    });
  return { store, journal, known, told, board, begin, increment };
}

/** What another directory writes, which is told of as by a shared store. */
async function writeElsewhere(store: MemoryStore, write: VersionedRecord): Promise<void> {
  const version = await store.commit([write]);
  store.tell([{ key: write.key, value: write.value, version }]);
}

test("change() plans each change on what the one before it left", async () => {
  const { begin, increment, known, store } = open();
  await begin();
  expect(await Promise.all([increment(), increment(), increment()])).toEqual([1, 2, 3]);
  expect([known.get("n"), store.records.get("n")?.value]).toEqual([3, 3]);
});

test("change() of what its plan refuses, or what cannot be read again, writes nothing, and the next one is done", async () => {
  const { begin, journal, increment, store, told } = open();
  await begin();
  const refused = journal.change(() => {
    throw new Error("refused");
  });
  const unreadable = journal.change(() => ({
    records: [{ key: "n", value: "text" as unknown as number }],
    result: null,
  }));
  const next = increment();
  await expect(refused).rejects.toThrow("refused");
  await expect(unreadable).rejects.toThrow("it is no number");
  expect(await next).toBe(1);
  expect(told).toEqual([["n 1"]]);
  expect(store.records.size).toBe(1);
});

test("change() that the store does not take is no part of what is known", async () => {
  const { begin, increment, known, told, store } = open();
  await begin();
  store.failing = true;
  await expect(increment()).rejects.toMatchObject({ code: "unavailable" });
  expect([known.size, told.length]).toEqual([0, 0]);
});

test("change() is planned again where another directory was faster", async () => {
  class ContestedStore extends MemoryStore {
    #contested = false;

    override async commit(writes: readonly VersionedRecord[]): Promise<number> {
      if (this.#contested) return super.commit(writes);
      this.#contested = true;
      const version = await super.commit([{ key: "n", value: 10, version: 0 }]);
      try {
        return await super.commit(writes);
      } finally {
        this.tell([{ key: "n", value: 10, version }]);
      }
    }
  }
  const { begin, increment, known, told } = open(new ContestedStore());
  await begin();
  expect(await increment()).toBe(11);
  expect([known.get("n"), told]).toEqual([11, [["n 10"], ["n 11"]]]);
});

test("offer() gives way to what another directory has written", async () => {
  const { begin, journal, known, store } = open();
  await begin();
  await store.commit([{ key: "n", value: 10, version: 0 }]);
  expect(await journal.offer([{ key: "n", value: 1 }])).toBe(false);
  expect(store.records.get("n")?.value).toBe(10);
  expect(await journal.offer([{ key: "m", value: 1 }])).toBe(true);
  expect(known.get("m")).toBe(1);
});

test("replace() writes in parts that the store takes, planned on what it holds", async () => {
  class SmallStore extends MemoryStore {
    override readonly writesMax: number = 8;
    readonly sizes: number[] = [];

    override commit(writes: readonly VersionedRecord[]): Promise<number> {
      this.sizes.push(writes.length);
      return super.commit(writes);
    }
  }
  const store = new SmallStore();
  const { begin, journal, known } = open(store);
  await store.commit([{ key: "old", value: 1, version: 0 }]);
  await begin();
  const wanted = Array.from({ length: 4 }, (_, i) => ({ key: `n${i}`, value: i }));
  const held = await journal.replace((current) => ({
    records: [...wanted, { key: "old", value: null }],
    result: current.map(({ key }) => key),
  }));
  expect(held).toEqual(["old"]);
  expect(store.sizes).toEqual([1, 2, 2, 1]);
  expect([...known]).toEqual([
    ["n0", 0],
    ["n1", 1],
    ["n2", 2],
    ["n3", 3],
  ]);
});

test("begin() leaves out what cannot be read, says so, and knows that it is there", async () => {
  const { begin, journal, known, board, store } = open();
  await store.commit([{ key: "n", value: "text", version: 0 }]);
  await begin();
  expect([known.size, journal.has("n")]).toEqual([0, true]);
  expect(board.list()).toMatchObject([{ subject: "n", message: "left out: it is no number" }]);
  await journal.change(() => ({ records: [{ key: "n", value: 1 }], result: null }));
  expect(board.list()).toEqual([]);
});

test("what others write is applied in their order, and told of", async () => {
  const { begin, known, told, store } = open();
  await begin();
  await writeElsewhere(store, { key: "n", value: 1, version: 0 });
  expect([known.get("n"), told]).toEqual([1, [["n 1"]]]);
});
