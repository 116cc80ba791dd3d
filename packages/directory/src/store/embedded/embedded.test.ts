import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { openEmbeddedStore, STORE_FILE } from "./embedded.ts";
import { describeStore } from "../testing/conformance.ts";

const folders: string[] = [];
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "datawire-store-"));
  folders.push(folder);
  return folder;
};
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

describeStore("embedded", async () => {
  const folder = await newFolder();
  return { open: () => openEmbeddedStore(join(folder, "data"), "//localhost/directory") };
});

test("openEmbeddedStore() refuses a folder that another directory uses, and names that one", async () => {
  const folder = await newFolder();
  const store = await openEmbeddedStore(folder, "//services/directory");
  await expect(openEmbeddedStore(folder, "//other/directory")).rejects.toMatchObject({
    code: "in_use",
    message: expect.stringContaining(`the directory //services/directory (process ${process.pid}) uses it`),
  });
  await store.commit([{ key: "a", value: 1, version: 0 }]);
  await store.close();
  const next = await openEmbeddedStore(folder, "//other/directory");
  expect((await next.load()).records).toHaveLength(1);
  await next.close();
});

test("openEmbeddedStore() opens although it cannot note who uses it, as on a full disk", async () => {
  const folder = await newFolder();
  await mkdir(join(folder, `${STORE_FILE}.owner`));
  const store = await openEmbeddedStore(folder, "//services/directory");
  await expect(openEmbeddedStore(folder, "//other/directory")).rejects.toMatchObject({ code: "in_use" });
  await store.close();
});

test("openEmbeddedStore() calls a store damaged for what is in it, and not for the disk that it is on", async () => {
  const folder = await newFolder();
  await (await openEmbeddedStore(folder, "//services/directory")).close();
  await mkdir(join(folder, `${STORE_FILE}-wal`)); // SQLite cannot make its log, as on a full disk
  await expect(openEmbeddedStore(folder, "//services/directory")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^Cannot open the store .*: unable to open database file; is its disk full/),
  });
});

test("outage says that nothing can be written, until the next try succeeds", async () => {
  const folder = await newFolder();
  await (await openEmbeddedStore(folder, "//localhost/directory")).close();
  const database = new DatabaseSync(join(folder, STORE_FILE));
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.key = 'large' BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
  );
  database.close();
  const store = await openEmbeddedStore(folder, "//localhost/directory", { nowMs: () => 7 });
  expect(store.outage).toBe(null);
  await expect(store.commit([{ key: "large", value: 1, version: 0 }])).rejects.toMatchObject({ code: "unavailable" });
  expect(store.outage).toEqual({ sinceMs: 7, reason: expect.stringContaining("disk is full") });
  await expect(store.commit([{ key: "small", value: 1, version: 9 }])).rejects.toMatchObject({ code: "conflict" });
  expect(store.outage).not.toBe(null);
  await store.replication.save({ stored: [], gone: [] });
  expect(store.outage).toBe(null);
  await store.close();
});

test("commit() acknowledges nothing that goes into a file which was removed or replaced, until it is back", async () => {
  const folder = join(await newFolder(), "data");
  const store = await openEmbeddedStore(folder, "//localhost/directory");
  const one = { key: "routes", value: 1, version: 0 };
  await rename(folder, `${folder}.away`);
  await expect(store.commit([one])).rejects.toThrow(
    `Cannot write to ${join(folder, STORE_FILE)}: it was removed or replaced while it was in use`,
  );
  expect(store.outage).toMatchObject({ reason: expect.stringContaining("removed or replaced") as string });
  await (await openEmbeddedStore(folder, "//localhost/directory")).close();
  await expect(store.commit([one])).rejects.toMatchObject({ code: "unavailable" });
  await rm(folder, { recursive: true });
  await rename(`${folder}.away`, folder);
  expect(await store.commit([one])).toBe(1);
  expect(store.outage).toBe(null);
  await store.close();
});

/** A store with a few hundred records, closed. */
async function filled(): Promise<{ folder: string; path: string }> {
  const folder = await newFolder();
  const store = await openEmbeddedStore(folder, "//localhost/directory");
  const writes = Array.from({ length: 300 }, (_, i) => ({
    key: `table/${i}`,
    value: { text: "x".repeat(100) },
    version: 0,
  }));
  await store.commit(writes);
  await store.close();
  return { folder, path: join(folder, STORE_FILE) };
}

test.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
  ["is empty", () => Buffer.alloc(0), /it is not a SQLite file/],
  ["is something else", () => Buffer.from("hello: world\n".repeat(20)), /it is not a SQLite file/],
  ["was cut short", (bytes) => bytes.subarray(0, 20_000), /damaged|cannot read/],
  ["has a page of zeroes", (bytes) => bytes.fill(0, 8_192, 12_288), /damaged|cannot read|checksum/],
  ["has one changed letter", (bytes) => flip(bytes), /the checksum of table\/\d+ is wrong/],
  ["is of a newer version", (bytes) => withUint32(bytes, 60, 99), /a newer version wrote it/],
  ["belongs to another application", (bytes) => withUint32(bytes, 68, 1), /another application/],
])("openEmbeddedStore() refuses a store that %s, and leaves it as it is", async (_, damage, message) => {
  const { folder, path } = await filled();
  const damaged = damage(await readFile(path));
  await writeFile(path, damaged);
  const attempt = async () => {
    const store = await openEmbeddedStore(folder, "//localhost/directory");
    try {
      await store.load();
    } finally {
      await store.close();
    }
  };
  await expect(attempt()).rejects.toMatchObject({ code: "damaged", message: expect.stringMatching(message) });
  expect((await readFile(path)).equals(damaged)).toBe(true);
});

test("openEmbeddedStore() refuses the database of something else that SQLite can read", async () => {
  const folder = await newFolder();
  const other = new DatabaseSync(join(folder, STORE_FILE));
  other.exec("CREATE TABLE notes (text TEXT)");
  other.close();
  await expect(openEmbeddedStore(folder, "//localhost/directory")).rejects.toMatchObject({ code: "damaged" });
});

/** Starts a process that commits records 0, 1, 2… and prints each when it is acknowledged. */
function startWriter(folder: string): ChildProcess {
  const program = `
    const { openEmbeddedStore } = await import(${JSON.stringify(new URL("./embedded.ts", import.meta.url).href)});
    const store = await openEmbeddedStore(${JSON.stringify(folder)}, "//localhost/directory");
    let next = (await store.load()).records.length;
    for (;;) {
      await store.commit([{ key: "n/" + next, value: { next, text: "x".repeat(500) }, version: 0 }]);
      process.stdout.write(next + "\\n");
      next += 1;
      await new Promise(setImmediate);
    }`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
}

const ROUNDS = process.env["DSTACK_SOAK"] === "1" ? 200 : 4;

test(`commit() loses nothing that it acknowledged in ${ROUNDS} rounds of kill -9`, async () => {
  const folder = await newFolder();
  let acknowledged = -1;
  for (let round = 0; round < ROUNDS; round++) {
    const writer = startWriter(folder);
    const until = acknowledged + 20 + round;
    for await (const line of createInterface({ input: writer.stdout! })) {
      acknowledged = Number(line);
      if (acknowledged === until) writer.kill("SIGKILL");
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, "exit");
    expect(acknowledged).toBeGreaterThanOrEqual(until);
    const store = await openEmbeddedStore(folder, "//localhost/directory");
    const keys = new Set((await store.load()).records.map(({ key }) => key));
    await store.close();
    for (let n = 0; n <= acknowledged; n++) expect(keys.has(`n/${n}`)).toBe(true);
    acknowledged = keys.size - 1;
  }
});

function flip(bytes: Buffer): Buffer {
  const at = bytes.lastIndexOf("xxxxx");
  bytes[at] = "y".charCodeAt(0);
  return bytes;
}

function withUint32(bytes: Buffer, offset: number, value: number): Buffer {
  bytes.writeUInt32BE(value, offset);
  return bytes;
}
