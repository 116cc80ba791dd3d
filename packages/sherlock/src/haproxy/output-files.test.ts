import { appendFile, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noLog, ProblemBoard } from "@datawire/runtime";
import { createFakeClock } from "@datawire/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeFolder, temporaryFolder } from "../testing/places.ts";
import { keepTrimmed, lastAlerts, trimFiles } from "./output-files.ts";

let files: { readonly errors: string; readonly accessLog: string };
let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  files = { errors: join(folder, "haproxy.err"), accessLog: join(folder, "access.log") };
});
afterEach(() => removeFolder(folder));

const sizeOf = async (file: string): Promise<number> => (await stat(file)).size;

test("trimFiles() empties a file that is too large, and leaves the others as they are", async () => {
  await trimFiles(files); // there are none before the first start
  await writeFile(files.errors, "x".repeat(1024 * 1024 + 1));
  await writeFile(files.accessLog, "x".repeat(1024 * 1024 + 1));
  await trimFiles(files);
  expect(await sizeOf(files.errors)).toBe(0);
  expect(await sizeOf(files.accessLog)).toBe(1024 * 1024 + 1);
});

test("keepTrimmed() bounds an access log without waiting for a reload", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  const ended = keepTrimmed(files, { clock, log: noLog, board: new ProblemBoard() }, stop.signal);
  for (let round = 0; round < 2; round++) {
    await writeFile(files.accessLog, "");
    await truncate(files.accessLog, 256 * 1024 * 1024 + 1); // holes take no room
    await expect.poll(() => clock.pending()).toBe(1);
    await clock.advance(10_000);
    await expect.poll(() => sizeOf(files.accessLog)).toBe(0);
  }
  stop.abort();
  await ended;
});

test("lastAlerts() gives the last three, without what HAProxy puts before them", async () => {
  expect(await lastAlerts(files)).toBe("");
  for (let i = 1; i <= 4; i++) await appendFile(files.errors, `[NOTICE] (1) : n${i}\n[ALERT] (1) : a${i}\n`);
  expect(await lastAlerts(files)).toBe(" (a2; a3; a4)");
  expect(await readFile(files.errors, "utf8")).toContain("a1");
  await appendFile(files.errors, "[ALERT]    (23) : Cannot raise FD limit\n[ALERT] (230) : b\n");
  expect([await lastAlerts(files, 23), await lastAlerts(files, 2)]).toEqual([" (Cannot raise FD limit)", ""]);
});
