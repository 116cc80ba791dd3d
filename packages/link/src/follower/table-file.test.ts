import { emptyChange } from "@datawire/protocol";
import { noLog } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { expect, test } from "vitest";
import { TableSaver } from "./table-file.ts";

/** A saver whose disk takes `tookMs`, or fails while `isFull`. */
function create({ tookMs = 0 } = {}) {
  const clock = createFakeClock();
  const written: { readonly atMs: number; readonly revision: number }[] = [];
  const touched: number[] = [];
  const logged: string[] = [];
  const disk = { isFull: false };
  const note = (message: string): void => void logged.push(message);
  const saver = new TableSaver("/state/table.json", {
    clock,
    log: { ...noLog, info: note, error: note },
    disk: {
      async write(_, text) {
        if (tookMs > 0) await clock.sleep(tookMs);
        if (disk.isFull) throw new Error("no space left on the device");
        const { position } = JSON.parse(text) as { readonly position: { readonly revision: number } };
        written.push({ atMs: clock.monotonicMs(), revision: position.revision });
      },
      touch: async (_, atMs) => void touched.push(atMs),
    },
  });
  let revision = 0;
  const change = (): void => {
    const now = ++revision;
    saver.save(() => ({ table: emptyChange(), position: { epoch: "e", revision: now } }));
  };
  return { clock, saver, change, written, touched, logged, disk };
}

test("TableSaver writes a moment after a change, and of several that come together the last", async () => {
  const { clock, change, written } = create();
  change();
  await clock.advance(99);
  change();
  await clock.advance(99);
  expect(written).toEqual([]);
  await clock.advance(1);
  expect(written).toEqual([{ atMs: 199, revision: 2 }]);
  expect(clock.pending()).toBe(0);
});

test("TableSaver writes once a second while changes do not end", async () => {
  const { clock, change, written } = create();
  for (let i = 0; i < 40; i++) {
    change();
    await clock.advance(50);
  }
  expect(written.map(({ atMs }) => atMs)).toEqual([1_000, 2_000]);
});

test("TableSaver spends a twentieth of the time with a table that takes long to write", async () => {
  const { clock, change, written } = create({ tookMs: 200 });
  for (let i = 0; i < 100; i++) {
    change();
    await clock.advance(100);
  }
  const [first = 0, second = 0] = written.map(({ atMs }) => atMs);
  expect(second - first).toBe(20 * 200 + 200);
});

test("TableSaver tells once that the disk is full, tries again, and tells when there is room", async () => {
  const { clock, change, written, logged, disk } = create();
  disk.isFull = true;
  change();
  await clock.advance(12_000);
  expect(logged).toEqual(["Last known table is not kept"]);
  disk.isFull = false;
  await clock.advance(5_000);
  expect(written.map(({ revision }) => revision)).toEqual([1]);
  expect(logged).toEqual(["Last known table is not kept", "Last known table is written again"]);
});

test("TableSaver.close() writes what waits, and nothing comes after it", async () => {
  const { clock, saver, change, written } = create();
  change();
  await saver.close();
  expect(written.map(({ revision }) => revision)).toEqual([1]);
  change();
  await clock.advance(10_000);
  expect(written).toHaveLength(1);
  expect(clock.pending()).toBe(0);
});

test("TableSaver.confirm() moves the time of the file on, unless what is on disk is out of date", async () => {
  const { clock, saver, change, touched, disk } = create();
  change();
  await saver.confirm();
  expect(touched).toEqual([]);
  await clock.advance(100);
  const savedMs = clock.nowMs();
  await clock.advance(5_000);
  await saver.confirm();
  expect(touched).toEqual([savedMs, savedMs + 5_000]);
  disk.isFull = true;
  change();
  await clock.advance(100);
  await saver.confirm();
  expect(touched).toHaveLength(2);
  await saver.close();
});
