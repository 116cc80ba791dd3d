import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chance } from "@datawire/protocol/testing/chance";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Disk } from "../disk/disk.ts";
import { createFileDisk } from "../disk/file-disk.ts";
import { Log } from "./log.ts";
import type { LogConfig, LogDeps, Place } from "./log-deps.ts";
import { encodeControl, encodeFailed, encodeSettled, readMessage } from "./record.ts";
import { SimulatedDisk } from "./testing/simulated-disk.ts";

/** What a log has when it is opened, by sequence: what of it was settled is gone. */
interface Model {
  readonly messages: Map<number, { text: string; place: Place }>;
  readonly settled: Set<number>;
  readonly failed: Map<number, number>;
  readonly controls: unknown[];
}

const emptyModel = (): Model => ({ messages: new Map(), settled: new Set(), failed: new Map(), controls: [] });
const ADDRESS = 1;

async function openLog(disk: Disk, config: LogConfig = {}, more: Partial<LogDeps> = {}) {
  const model = emptyModel();
  const troubles: unknown[] = [];
  const log = new Log(config, {
    disk,
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
    random32: () => 7,
    snapshot: () => [],
    relocate: () => {},
    onTrouble: (error) => void troubles.push(error),
    onHousekeepingFailure: (error) => void troubles.push(error),
    ...more,
  });
  await log.restore({
    message(found) {
      const { segment, offset, length, sequence } = found;
      const text = Buffer.from(found.record().payload).toString();
      model.messages.set(sequence, { text, place: { segment, offset, length } });
    },
    settled(_address, _subscription, { from, length }) {
      for (let sequence = from; sequence < from + length; sequence++) model.settled.add(sequence);
    },
    failed: (_address, _subscription, sequence, deliveries) => void model.failed.set(sequence, deliveries),
    control: (value) => void model.controls.push(value),
  });
  const put = (sequence: number, text: string): Place =>
    log.message({ address: ADDRESS, sequence, acceptedAtMs: 1, ttlMs: 0, keys: null, payload: Buffer.from(text) });
  const durable = (): Promise<void> => new Promise((resolve) => log.whenDurable(resolve));
  return { log, model, put, durable, troubles };
}

const textOf = (record: Buffer): string => Buffer.from(readMessage(record).payload).toString();

let folder = "";
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "router-log-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

test("Log has a message where it was moved to, also before that is on disk", async () => {
  const { log, put, durable } = await openLog(createFileDisk(folder), { cacheBytes: 1 });
  const place = put(1, "moved");
  for (const when of ["while it is gathered", "while it is written", "afterwards"]) {
    const { segment, offset, length } = place;
    const bytes = log.peek(segment, offset, length) ?? (await log.load(segment, offset, length));
    expect([when, textOf(bytes)]).toEqual([when, "moved"]);
    expect([when, textOf(await log.load(segment, offset, length))]).toEqual([when, "moved"]);
    if (when === "while it is gathered") await new Promise((resolve) => setImmediate(resolve));
    else await durable();
  }
  await log.close();
});

test("Log hands over after a restart what was appended, in order", async () => {
  const first = await openLog(createFileDisk(folder));
  const place = first.put(1, "one");
  first.put(2, "two");
  first.log.record(encodeSettled(ADDRESS, 0, [{ from: 1, length: 1 }]));
  first.log.record(encodeFailed(ADDRESS, 0, 2, 3));
  first.log.record(encodeControl({ made: "orders" }));
  await first.durable();
  expect(readMessage(first.log.peek(place.segment, place.offset, place.length)!).payload.toString()).toBe("one");
  await first.log.close();

  const second = await openLog(createFileDisk(folder));
  expect([...second.model.messages.keys()]).toEqual([1, 2]);
  expect([...second.model.settled]).toEqual([1]);
  expect([...second.model.failed]).toEqual([[2, 3]]);
  expect(second.model.controls).toEqual([{ made: "orders" }]);
  const found = second.model.messages.get(2)!.place;
  expect(second.log.peek(found.segment, found.offset, found.length)).toBeNull();
  expect(readMessage(await second.log.load(found.segment, found.offset, found.length)).payload.toString()).toBe("two");
  expect(second.log.peek(found.segment, found.offset, found.length)).not.toBeNull();
  second.put(3, "three");
  await second.log.close();
  expect([...(await openLog(createFileDisk(folder))).model.messages.keys()]).toEqual([1, 2, 3]);
});

test("Log gathers what comes while it writes into one block", async () => {
  const disk = new SimulatedDisk(new Chance(1));
  const { put, durable } = await openLog(disk.boot());
  put(1, "a");
  await new Promise((resolve) => setImmediate(resolve));
  for (let sequence = 2; sequence < 100; sequence++) put(sequence, "b");
  await durable();
  expect(disk.syncs).toBe(2);
});

test("Log leaves the sync of what is settled to the next message, and keeps it through kill -9 until then", async () => {
  const disk = new SimulatedDisk(new Chance(1));
  const due: (() => void)[] = [];
  const sleep = () => new Promise<void>((resolve) => void due.push(resolve));
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const first = await openLog(disk.boot(), {}, { sleep });
  for (const sequence of [1, 2, 3, 4]) first.put(sequence, "a message");
  await first.durable();
  const { syncs } = disk;
  first.log.settled(ADDRESS, 0, 1);
  await turns();
  // In the record before.
  first.log.settled(ADDRESS, 0, 2);
  await turns();
  expect(disk.syncs).toBe(syncs);
  disk.kill();
  const second = await openLog(disk.boot(), {}, { sleep });
  expect([...second.model.settled]).toEqual([1, 2]);

  // Opening has synced what was found; this is about what comes after it.
  const before = disk.syncs;
  second.log.settled(ADDRESS, 0, 3);
  await turns();
  second.put(5, "the next");
  await second.durable();
  expect(disk.syncs).toBe(before + 1);
  disk.crash();
  const third = await openLog(disk.boot(), {}, { sleep });
  expect([[...third.model.settled], [...third.model.messages.keys()]]).toEqual([
    [1, 2, 3],
    [1, 2, 3, 4, 5],
  ]);
  // Without a next message it is synced after a while.
  third.log.settled(ADDRESS, 0, 4);
  await turns();
  const without = disk.syncs;
  for (const resolve of due) resolve();
  await turns();
  expect(disk.syncs).toBe(without + 1);
  expect(third.model.messages.size + third.troubles.length).toBe(5);
  await third.log.close();
});

test("Log removes segments that nobody needs, oldest first, and begins each with a snapshot", async () => {
  const disk = createFileDisk(folder);
  const { log, put, durable } = await openLog(
    disk,
    { segmentBytes: 1_000 },
    { snapshot: () => [encodeControl("snapshot")] },
  );
  const places: Place[] = [];
  for (let sequence = 1; sequence <= 20; sequence++) {
    places.push(put(sequence, "x".repeat(300)));
    await durable();
  }
  expect((await disk.list()).length).toBeGreaterThan(4);
  for (const { segment, length } of places.slice(0, 18)) log.release(segment, length);
  log.record(encodeSettled(ADDRESS, 0, [{ from: 1, length: 18 }]));
  await log.close();
  expect((await disk.list()).length).toBeLessThan(4);
  const { model } = await openLog(disk);
  expect([...model.messages.keys()].filter((sequence) => !model.settled.has(sequence))).toEqual([19, 20]);
  expect(model.controls).toContain("snapshot");
});

test("Log empties an old segment that a few messages keep", async () => {
  const disk = createFileDisk(folder);
  let kept: Place | null = null;
  const opened = await openLog(
    disk,
    { segmentBytes: 1_000 },
    {
      relocate(record, place) {
        if (kept?.segment !== place.segment || kept.offset !== place.offset) return;
        log.release(place.segment, place.length);
        kept = log.message({ ...record, payload: Buffer.from(record.payload) });
      },
    },
  );
  const { log, put, durable } = opened;
  kept = put(0, "kept");
  for (let sequence = 1; sequence <= 60; sequence++) {
    const { segment, length } = put(sequence, "x".repeat(300));
    await durable();
    log.release(segment, length);
    log.record(encodeSettled(ADDRESS, 0, [{ from: sequence, length: 1 }]));
    await durable();
  }
  expect(log.usage.segments).toBeLessThan(10);
  await log.close();
  const { model } = await openLog(disk);
  expect(model.messages.get(0)?.text).toBe("kept");
  expect([...model.messages.keys()].filter((sequence) => !model.settled.has(sequence))).toEqual([0]);
});

test.each([1, 10, 24, 30])("Log cuts an end that lacks %i bytes, and goes on", async (missing) => {
  const first = await openLog(createFileDisk(folder));
  first.put(1, "one");
  await first.durable();
  first.put(2, "two".repeat(10));
  await first.log.close();
  const path = join(folder, "0000000001.log");
  const { size } = await (await import("node:fs/promises")).stat(path);
  await truncate(path, size - missing);
  const second = await openLog(createFileDisk(folder));
  expect([...second.model.messages.keys()]).toEqual([1]);
  expect(second.log.findings.cutBytes).toBeGreaterThan(0);
  expect(second.log.findings.damages).toEqual([]);
  second.put(2, "again");
  await second.log.close();
  expect((await openLog(createFileDisk(folder))).model.messages.get(2)?.text).toBe("again");
});

test("Log puts a damaged middle aside, tells of it, and keeps what comes after it", async () => {
  const disk = new SimulatedDisk(new Chance(1));
  const first = await openLog(disk.boot());
  first.put(1, "one");
  first.put(2, "two");
  await first.durable();
  const { offset } = first.put(3, "three");
  await first.durable();
  first.put(4, "last");
  await first.durable();
  disk.damage("0000000001.log", offset, 4);
  disk.crash();
  const second = await openLog(disk.boot());
  expect([...second.model.messages.keys()]).toEqual([1, 2, 4]);
  expect(second.log.findings.damages).toMatchObject([
    { segment: 1, file: expect.stringMatching(/^damaged-0000000001-\d+$/) as string },
  ]);
  expect(await disk.boot().list()).toContain(second.log.findings.damages[0]?.file);
  second.put(5, "five");
  await second.durable();
  expect([...(await openLog(disk.boot())).model.messages.keys()]).toEqual([1, 2, 4, 5]);
});

test("Log puts a segment aside whose begin is damaged", async () => {
  const disk = createFileDisk(folder);
  const first = await openLog(disk, { segmentBytes: 100 });
  for (const sequence of [1, 2, 3]) {
    first.put(sequence, "x".repeat(200));
    await first.durable();
  }
  await first.log.close();
  await writeFile(join(folder, "0000000002.log"), "what?");
  const second = await openLog(disk);
  expect([...second.model.messages.keys()]).toEqual([1, 3]);
  expect(second.log.findings.damages).toMatchObject([{ segment: 2, position: 0, file: "damaged-0000000002-0" }]);
});

test("Log refuses what a newer version has written, and leaves all of it as it is", async () => {
  const disk = createFileDisk(folder);
  const first = await openLog(disk, { segmentBytes: 100 });
  for (const sequence of [1, 2]) {
    first.put(sequence, "x".repeat(200));
    await first.durable();
  }
  await first.log.close();
  // Torn, which would be cut, and of a newer form.
  const paths = ["0000000001.log", "0000000002.log"].map((name) => join(folder, name));
  const [older, newer] = await Promise.all(paths.map((path) => readFile(path)));
  newer?.write("dsg2");
  await writeFile(paths[0] ?? "", older?.subarray(0, -5) ?? "");
  await writeFile(paths[1] ?? "", newer ?? "");
  const read = async (): Promise<unknown> =>
    Promise.all((await disk.list()).map((name) => readFile(join(folder, name))));
  const before = await read();
  await expect(openLog(disk)).rejects.toThrow("0000000002.log is of form 2, and this version knows form 1");
  expect(await read()).toEqual(before);
});

test("Log refuses a record that it does not know, and says where it is", async () => {
  const disk = createFileDisk(folder);
  const first = await openLog(disk);
  first.log.record(Buffer.from([9, 0, 0, 0]));
  await first.durable();
  await first.log.close();
  await expect(openLog(disk)).rejects.toThrow("0000000001.log: in the block at byte 16, there is no record of type 9");
});

test("Log takes the bytes of a message for no block, whatever they are", async () => {
  const disk = new SimulatedDisk(new Chance(1));
  const one = await openLog(disk.boot());
  one.put(1, "inner");
  await one.durable();
  const forged = Buffer.from(await (await disk.boot().open("0000000001.log")).read(0, 1_000));
  const other = new SimulatedDisk(new Chance(1));
  const two = await openLog(other.boot(), {}, { random32: () => 8 });
  two.log.message({ address: 1, sequence: 2, acceptedAtMs: 1, ttlMs: 0, keys: null, payload: forged });
  await two.durable();
  other.damage("0000000001.log", 16, 1);
  const { model } = await openLog(other.boot());
  expect(model.messages.size).toBe(0);
});

test("Log waits for a full disk, and writes what it was given when there is room", async () => {
  const disk = new SimulatedDisk(new Chance(1));
  const { put, durable, troubles } = await openLog(disk.boot());
  put(1, "one");
  await durable();
  disk.capacity = 300;
  put(2, "x".repeat(1_000));
  let done = false;
  const waiting = durable().then(() => (done = true));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  expect(troubles).toContainEqual(expect.objectContaining({ code: "ENOSPC" }));
  disk.capacity = 10_000;
  await waiting;
  expect(troubles.at(-1)).toBeNull();
  expect([...(await openLog(disk.boot())).model.messages.keys()]).toEqual([1, 2]);
});

test.each([
  ["synced", 4],
  ["named", 5],
])(
  "Log answers for what it has read of a process that was killed before its block was %s",
  async (_what, operation) => {
    // A loss of power that leaves nothing but what was synced.
    const disk = new SimulatedDisk({ int: () => 0, once: () => false });
    const first = await openLog(disk.boot());
    const killed = new Promise<void>((resolve) => {
      // A file is made, its head and its block are written, both are synced, and then the folder.
      let operations = 0;
      disk.delay = () => {
        operations += 1;
        if (operations === operation) resolve(disk.kill());
        return Promise.resolve();
      };
    });
    first.put(1, "one");
    await killed;
    disk.delay = null;
    expect([...(await openLog(disk.boot())).model.messages.keys()]).toEqual([1]);
    disk.crash();
    expect([...(await openLog(disk.boot())).model.messages.keys()]).toEqual([1]);
  },
);

/**
 * Lives with kills, losses of power, and disks that fail: what was safe is there, what was settled is not, and nothing is invented.
 * @returns how often a message was found in memory.
 */
async function ordeal(seed: number): Promise<number> {
  const chance = new Chance(seed);
  const disk = new SimulatedDisk(chance);
  /** Everything that was ever put, and what of it was told to be safe. */
  const put = new Map<number, string>();
  const safe = new Set<number>();
  const settledAsked = new Set<number>();
  const settledSafe = new Set<number>();
  let next = 1;
  let peeked = 0;
  for (let life = 0; life < 6; life++) {
    disk.failsOnceIn = 0;
    const live = new Map<number, Place>();
    const opened = await openLog(
      disk.boot(),
      { segmentBytes: 2_000, cacheBytes: 1_000 },
      {
        relocate(record, place) {
          const { log } = opened;
          const now = live.get(record.sequence);
          if (now?.segment !== place.segment || now.offset !== place.offset) return;
          log.release(place.segment, place.length);
          live.set(record.sequence, log.message({ ...record, payload: Buffer.from(record.payload) }));
        },
      },
    );
    const { log, model } = opened;
    const there = [...model.messages.keys()].filter((sequence) => !model.settled.has(sequence));
    for (const sequence of there)
      expect(put.get(sequence), `seed ${seed}: nothing invented`).toBe(model.messages.get(sequence)?.text);
    for (const sequence of safe) {
      if (!settledAsked.has(sequence)) expect(there, `seed ${seed}: ${sequence} is lost`).toContain(sequence);
    }
    for (const sequence of settledSafe) expect(there, `seed ${seed}: ${sequence} came back`).not.toContain(sequence);
    for (const sequence of there) live.set(sequence, model.messages.get(sequence)!.place);
    // A log that has begun answers for all that it has read, also of what nobody had been told.
    for (const sequence of there) safe.add(sequence);
    for (const sequence of model.settled) settledSafe.add(sequence);
    for (const sequence of model.messages.keys()) {
      const { place } = model.messages.get(sequence)!;
      if (!live.has(sequence)) log.release(place.segment, place.length);
    }
    // What is not there any more was never safe, or is settled for good.
    for (const sequence of put.keys()) if (!live.has(sequence)) put.delete(sequence);
    disk.failsOnceIn = chance.once(3) ? 15 : 0;
    for (let step = chance.int(80); step >= 0; step--) {
      const whenSafe = new Promise<void>((resolve) => log.whenDurable(resolve));
      if (chance.once(3) && live.size > 0) {
        const sequence = chance.pick([...live.keys()]);
        const { segment, length } = live.get(sequence)!;
        log.record(encodeSettled(ADDRESS, 0, [{ from: sequence, length: 1 }]));
        log.release(segment, length);
        live.delete(sequence);
        settledAsked.add(sequence);
        log.whenDurable(() => settledSafe.add(sequence));
      } else {
        const sequence = next++;
        const text = `${sequence}:${"x".repeat(chance.int(700))}`;
        put.set(sequence, text);
        live.set(
          sequence,
          log.message({
            address: ADDRESS,
            sequence,
            acceptedAtMs: 1,
            ttlMs: 0,
            keys: null,
            payload: Buffer.from(text),
          }),
        );
        log.whenDurable(() => safe.add(sequence));
      }
      if (chance.once(4)) await new Promise((resolve) => setImmediate(resolve));
      if (chance.once(10)) await whenSafe;
      for (const [sequence, { segment, offset, length }] of live) {
        const bytes = log.peek(segment, offset, length);
        if (bytes === null) continue;
        peeked++;
        expect(textOf(bytes), `seed ${seed}: another message lies in memory`).toBe(put.get(sequence));
      }
    }
    if (chance.once(3)) disk.kill();
    else disk.crash();
  }
  return peeked;
}

test("Log loses nothing that is safe, invents nothing and brings nothing back, whatever the disk does", async () => {
  const seeds = process.env["DSTACK_SOAK"] === "1" ? 2_000 : 25;
  let peeked = 0;
  for (let seed = 1; seed <= seeds; seed++) peeked += await ordeal(seed);
  expect(peeked).toBeGreaterThan(seeds);
});
