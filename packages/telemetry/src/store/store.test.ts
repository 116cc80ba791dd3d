import {
  closeSync,
  cpSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { TEST_SETTINGS, TestKeeper } from "../testing/keepers.ts";
import { traceIdOf } from "../testing/requests.ts";
import { fileName, fileNumber, numberOfName } from "./file-names.ts";

const open: TestKeeper[] = [];
const keeper = (settings: ConstructorParameters<typeof TestKeeper>[0] = {}, folder?: string): TestKeeper => {
  const made = new TestKeeper(settings, folder);
  open.push(made);
  return made;
};
afterEach(() => {
  for (const store of open.splice(0)) store[Symbol.dispose]();
});

const HOUR_MS = 3_600_000;
const names = (store: TestKeeper): string[] => readdirSync(store.folder).filter((name) => name.endsWith(".db"));
const faults = (store: TestKeeper) => store.told.filter(({ kind }) => kind === "fault");

test.each([
  ["2026-11-30T03:59:59Z", 0, "2026-11-30T03.db"],
  ["2026-11-30T04:00:00Z", 12, "2026-11-30T04-12.db"],
])("fileName() at %s, part %i is %s, and numberOfName() reads it", (at, part, name) => {
  const number = fileNumber(Date.parse(at)) + part;
  expect(fileName(number)).toBe(name);
  expect(numberOfName(name)).toBe(number);
  expect(numberOfName(`${name}-wal`)).toBeNull();
});

test("what was answered is there after the process was killed", async () => {
  const store = keeper();
  await store.spans([{ name: "kept" }]);
  // As after a kill: nothing was closed, and the lock is gone with the process.
  const copy = keeper({}, `${store.folder}-copy`);
  copy.keeper.close();
  cpSync(store.folder, copy.folder, { recursive: true });
  copy.restart();
  expect((await copy.traces()).traces).toMatchObject([{ name: "kept" }]);
});

test("the files and the folder are for their owner alone", async () => {
  const store = keeper();
  await store.spans([{}]);
  expect(statSync(store.folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(store.folder)) expect(statSync(join(store.folder, name)).mode & 0o777).toBe(0o600);
});

test("each hour has a file of its own, and the oldest goes with its age", async () => {
  const store = keeper({ ageMs: 2 * HOUR_MS });
  for (let i = 1; i <= 4; i++) {
    await store.spans([{ traceId: traceIdOf(i) }]);
    store.nowMs += HOUR_MS;
  }
  expect(names(store)).toHaveLength(4);
  store.restart();
  expect(names(store)).toEqual(["2026-11-30T14.db", "2026-11-30T15.db"]);
  expect((await store.traces()).traces).toHaveLength(2);
});

test("the oldest makes room for the newest, never more than the size is taken, and what is lost is counted", async () => {
  const sizeBytes = 2 * 1024 * 1024;
  const store = keeper({ sizeBytes });
  const filler = "x".repeat(40_000);
  for (let i = 0; i < 60; i += 3) {
    const sent = [1, 2, 3].map((n) =>
      store.spans([{ traceId: traceIdOf(i + n), startMs: i + n, attributes: { filler: `${i + n} ${filler}` } }]),
    );
    for (const answer of await Promise.all(sent)) expect(answer).toMatchObject({ state: "kept" });
    const bytes = readdirSync(store.folder).reduce((sum, name) => sum + statSync(join(store.folder, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(sizeBytes);
  }
  const { traces } = await store.traces({ limit: "1000" });
  expect(traces[0]?.traceId).toBe(traceIdOf(60));
  expect(traces.length + (store.lost["size"] ?? 0)).toBe(60);
  expect(traces.length).toBeGreaterThan(5);
});

test("a clock that was set back goes on with the newest file", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1) }]);
  store.nowMs -= 5 * HOUR_MS;
  await store.spans([{ traceId: traceIdOf(2) }]);
  expect(names(store)).toEqual(["2026-11-30T12.db"]);
});

test("a file that cannot be opened is set aside, counted and told, and all others serve", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1), name: "old" }]);
  store.nowMs += HOUR_MS;
  await store.spans([{ traceId: traceIdOf(2), name: "new" }]);
  store.keeper.close();
  writeFileSync(join(store.folder, "2026-11-30T12.db"), "no database at all, and more than a page of it".repeat(200));
  store.restart();
  expect((await store.traces()).traces).toMatchObject([{ name: "new" }]);
  expect(await store.spans([{ traceId: traceIdOf(3), startMs: 9_000 }])).toMatchObject({ state: "kept" });
  expect(store.lost).toEqual({ damaged: 1 });
  expect(readdirSync(store.folder)).toContain("2026-11-30T12.db.damaged");
  expect(store.told).toContainEqual(expect.objectContaining({ kind: "set-aside" }));
});

test("files of another program are set aside", async () => {
  const store = keeper();
  store.keeper.close();
  for (const [name, pragma] of [
    ["2026-11-30T10.db", "application_id = 7"],
    ["2026-11-30T11.db", "user_version = 1"],
  ] as const) {
    const database = new DatabaseSync(join(store.folder, name));
    database.exec(`CREATE TABLE other (a); PRAGMA ${pragma}`);
    database.close();
  }
  store.restart();
  expect(await store.spans([{}])).toMatchObject({ state: "kept" });
  expect(store.lost).toEqual({ damaged: 2 });
  // One is kept, for whoever wants to look into it.
  expect(readdirSync(store.folder).filter((name) => name.endsWith(".damaged"))).toHaveLength(1);
});

/** Says of a file that it is of another form, as a newer version would. */
function setForm(store: TestKeeper, name: string, form: number): void {
  const database = new DatabaseSync(join(store.folder, name));
  database.exec(`PRAGMA user_version = ${form}`);
  database.close();
}

test("a file of a newer version stays as it is, is told, and is found again once that version runs", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1), name: "newer" }]);
  store.keeper.close();
  setForm(store, "2026-11-30T12.db", 2);
  store.restart();
  expect(await store.spans([{ traceId: traceIdOf(2), name: "older" }])).toMatchObject({ state: "kept" });
  expect((await store.traces()).traces).toMatchObject([{ name: "older" }]);
  expect(names(store)).toEqual(["2026-11-30T12-1.db", "2026-11-30T12.db"]);
  expect(store.lost).toEqual({});
  expect(store.told).toContainEqual({ kind: "newer", files: 1 });
  store.keeper.close();
  setForm(store, "2026-11-30T12.db", 1);
  store.restart();
  const found = (await store.traces()).traces.map(({ name }) => name);
  expect(new Set(found)).toEqual(new Set(["newer", "older"]));
  expect(store.told.filter(({ kind }) => kind === "newer")).toHaveLength(1);
});

test("a file of a newer version goes when it is too old, or the oldest where there is no room", async () => {
  const store = keeper({ sizeBytes: 3 * 1024 * 1024 });
  await store.spans([{ traceId: traceIdOf(1) }]);
  store.nowMs += HOUR_MS;
  await store.spans([{ traceId: traceIdOf(2) }]);
  store.keeper.close();
  for (const name of names(store)) setForm(store, name, 2);
  store.restart();
  const filler = Array.from({ length: 2_000 }, (_, i) => ({ traceId: traceIdOf(i + 3), name: `span ${i}` }));
  for (let i = 0; i < 6 && names(store).includes("2026-11-30T12.db"); i++) await store.spans(filler);
  expect(names(store)).not.toContain("2026-11-30T12.db");
  store.nowMs += 48 * HOUR_MS;
  store.keeper.configure(TEST_SETTINGS);
  expect(names(store).filter((name) => !name.startsWith("2026-12"))).toEqual([]);
  expect(store.told.filter(({ kind }) => kind === "newer")).toEqual(
    [2, 1, 0].map((files) => ({ kind: "newer", files })),
  );
});

test("what waits to be forwarded in a file of a newer version stays there, and what comes is forwarded beside it", async () => {
  const forward = { url: "http://127.0.0.1:1", headersFile: null, queueBytes: 1024 ** 2 };
  const store = keeper({ forward });
  await store.spans([{}]);
  store.keeper.close();
  setForm(store, "forward.db", 2);
  store.restart();
  expect(await store.spans([{}])).toMatchObject({ state: "kept" });
  expect(names(store).filter((name) => name.startsWith("forward"))).toEqual(["forward-1.db", "forward.db"]);
  expect(store.lost).toEqual({});
});

test("a file that is damaged while it is in use is set aside as soon as that is seen, and what comes is kept", async () => {
  const store = keeper();
  const spans = Array.from({ length: 3_000 }, (_, i) => ({ traceId: traceIdOf(i + 1), name: `span ${i}` }));
  await store.spans(spans);
  store.restart();
  const path = join(store.folder, "2026-11-30T12.db");
  const file = openSync(path, "r+");
  // All but the first page, which says what the file is.
  writeSync(file, Buffer.alloc(statSync(path).size - 4_096, 0xee), 0, null, 4_096);
  closeSync(file);
  for (let i = 0; i < 3; i++) {
    expect(await store.spans([{ traceId: traceIdOf(10_000 + i), startMs: 5_000 }])).toMatchObject({ state: "kept" });
    await store.traces({ q: "span", limit: "1000" });
  }
  expect(store.lost["damaged"]).toBeGreaterThanOrEqual(1);
  expect((await store.traces()).traces).toHaveLength(3);
  expect(faults(store)).toEqual([]);
});

test("a folder that is taken away is made again, and what was in it is counted", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1) }, { traceId: traceIdOf(2) }]);
  rmSync(store.folder, { recursive: true });
  expect(await store.spans([{ traceId: traceIdOf(3), name: "after" }])).toMatchObject({ state: "kept" });
  store.restart();
  expect((await store.traces()).traces).toMatchObject([{ name: "after" }]);
  expect(store.lost).toEqual({ gone: 2 });
});

test("a folder that is taken away is told, and taken back once it is put back or what it held would be too old", async () => {
  const store = keeper();
  const gone = () => store.told.flatMap((message) => (message.kind === "gone" ? [message.gone?.count ?? null] : []));
  await store.spans([{ traceId: traceIdOf(1) }, { traceId: traceIdOf(2) }]);
  const aside = `${store.folder}-aside`;
  renameSync(store.folder, aside);
  // Also while nothing comes, and nothing is lost yet.
  await expect.poll(gone).toEqual([2]);
  renameSync(aside, store.folder);
  await expect.poll(gone).toEqual([2, null]);
  expect(store.lost).toEqual({});
  renameSync(store.folder, aside);
  expect(await store.spans([{ traceId: traceIdOf(3) }])).toMatchObject({ state: "kept" });
  expect(gone()).toEqual([2, null, 2]);
  expect(store.lost).toEqual({ gone: 2 });
  // One comes back and the other goes.
  rmSync(store.folder, { recursive: true });
  renameSync(aside, store.folder);
  expect(await store.spans([{ traceId: traceIdOf(4) }])).toMatchObject({ state: "kept" });
  expect(gone().at(-1)).toBe(1);
  store.nowMs += 2 * 86_400_000;
  store.keeper.configure(TEST_SETTINGS);
  expect(gone().at(-1)).toBeNull();
});

test("a folder that is taken away and cannot be made again is told, and what was in it is counted once it can", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1) }, { traceId: traceIdOf(2) }]);
  rmSync(store.folder, { recursive: true });
  writeFileSync(store.folder, "a file where the folder should be");
  expect(await store.spans([{}])).toMatchObject({ state: "later", why: "disk" });
  rmSync(store.folder);
  await expect.poll(() => faults(store).at(-1)).toEqual({ kind: "fault", fault: null });
  expect(store.lost).toEqual({ disk: 1, gone: 2 });
  expect(store.told).toContainEqual({ kind: "gone", gone: expect.objectContaining({ count: 2 }) });
});

test("a damaged file that was set aside is told until it is removed", async () => {
  const store = keeper();
  store.keeper.close();
  writeFileSync(join(store.folder, "2026-11-30T12.db"), "no database at all, and more than a page of it".repeat(200));
  store.restart();
  const aside = () => store.told.map(({ kind }) => kind).filter((kind) => kind.includes("aside"));
  store.keeper.configure(TEST_SETTINGS);
  expect(aside()).toEqual(["set-aside"]);
  rmSync(join(store.folder, "2026-11-30T12.db.damaged"));
  store.keeper.configure(TEST_SETTINGS);
  expect(aside()).toEqual(["set-aside", "aside-removed"]);
});

test("a disk that cannot be used is told, what comes meanwhile is asked to come again, and it mends itself", async () => {
  const store = keeper();
  store.keeper.close();
  rmSync(store.folder, { recursive: true });
  writeFileSync(store.folder, "a file where the folder should be");
  store.told.splice(0);
  store.restart();
  expect(faults(store)).toMatchObject([{ fault: { kind: "out-of-reach" } }]);
  expect(await store.spans([{}, {}])).toMatchObject({ state: "later", why: "disk" });
  expect(store.lost).toEqual({ disk: 2 });
  expect((await store.traces()).traces).toEqual([]);
  renameSync(store.folder, `${store.folder}-aside`);
  await expect.poll(() => faults(store).at(-1)).toEqual({ kind: "fault", fault: null });
  expect(await store.spans([{}])).toMatchObject({ state: "kept" });
  rmSync(`${store.folder}-aside`);
});

test("more than the rate is asked to come again, and counted", async () => {
  const store = keeper({ perSecond: 2 });
  const ten = Array.from({ length: 10 }, (_, i) => ({ traceId: traceIdOf(i + 1) }));
  expect(await store.spans(ten)).toMatchObject({ state: "kept" });
  const later = await store.spans(ten);
  expect(later).toMatchObject({ state: "later", why: "rate" });
  expect(later).toHaveProperty(
    "afterMs",
    expect.toSatisfy((ms: number) => ms > 2_000 && ms <= 4_000),
  );
  expect(store.lost).toEqual({ rate: 10 });
});

test("spans without a proper id are rejected in the answer, and counted", async () => {
  const store = keeper();
  const answer = await store.spans([{}, { traceId: "short" }]);
  const body = answer.state === "kept" ? JSON.parse(Buffer.from(answer.body).toString()) : null;
  expect(body).toMatchObject({ partialSuccess: { rejectedSpans: "1", errorMessage: /traceId/ } });
  expect(store.lost).toEqual({ malformed: 1 });
});

test("a file that was only begun, as its process ended or its disk was full, is gone on with and not set aside", async () => {
  const store = keeper();
  store.keeper.close();
  writeFileSync(join(store.folder, "2026-11-30T11.db"), "");
  const begun = new DatabaseSync(join(store.folder, "2026-11-30T12.db"));
  begun.exec("PRAGMA journal_mode = WAL");
  begun.close();
  store.restart();
  expect(await store.spans([{ name: "kept" }])).toMatchObject({ state: "kept" });
  expect((await store.traces()).traces).toMatchObject([{ name: "kept" }]);
  expect(names(store)).toEqual(["2026-11-30T11.db", "2026-11-30T12.db"]);
  expect(store.lost).toEqual({});
});

test("an error of this program sets no file aside: what came with it is asked to come again, and all else is kept", async () => {
  const store = keeper();
  await store.spans([{ name: "before" }]);
  const [event] = (await store.logs([{ body: { stringValue: "text" } }])) && (await store.find()).events;
  const wrong = { ...event, timestamp: Number.NaN, resource: { attributes: {}, node: "n" } } as never;
  expect(await store.keeper.append("", [wrong])).toMatchObject({ state: "later", message: /its store failed/ });
  expect(faults(store)).toMatchObject([{ fault: { kind: "failed" } }]);
  // Nobody else is turned away meanwhile.
  expect(await store.spans([{ traceId: traceIdOf(2), name: "after" }])).toMatchObject({ state: "kept" });
  expect(faults(store).at(-1)).toEqual({ kind: "fault", fault: null });
  expect(new Set((await store.traces()).traces.map(({ name }) => name))).toEqual(new Set(["after", "before"]));
  expect(names(store)).toEqual(["2026-11-30T12.db"]);
  expect(store.lost).toEqual({});
});

test("a row that is no JSON any more sets its file aside, and all others serve", async () => {
  const store = keeper();
  await store.spans([{ traceId: traceIdOf(1), name: "old" }]);
  store.nowMs += HOUR_MS;
  await store.spans([{ traceId: traceIdOf(2), name: "new" }]);
  store.keeper.close();
  const database = new DatabaseSync(join(store.folder, "2026-11-30T12.db"));
  database.exec("UPDATE traces SET data = replace(data, '{', 'x')");
  database.close();
  store.restart();
  expect((await store.traces()).traces).toMatchObject([{ name: "new" }]);
  expect(names(store)).toEqual(["2026-11-30T13.db"]);
  expect(store.lost).toEqual({ damaged: 1 });
  expect(faults(store)).toEqual([]);
});
