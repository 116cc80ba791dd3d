import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readJsonFile, writeFileAtomically } from "./atomic-file.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dstack-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("writeFileAtomically() replaces content and mode, and leaves nothing else behind", async () => {
  const path = join(folder, "table.json");
  await writeFile(path, "old");
  await chmod(path, 0o644);
  await writeFileAtomically(path, "new", { mode: 0o600 });
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(["table.json"]);
});

test("writeFileAtomically() says why it cannot, and removes what it began", async () => {
  const path = join(folder, "taken");
  await mkdir(join(path, "inside"), { recursive: true });
  await expect(writeFileAtomically(path, "x")).rejects.toThrow(`Cannot write ${path}: `);
  expect(await readdir(folder)).toEqual(["taken"]);
  await expect(writeFileAtomically(join(folder, "no", "x"), "x")).rejects.toThrow("no such file or folder");
});

test("writeFileAtomically() takes away what a process that was killed while it wrote left behind", async () => {
  const path = join(folder, "table.json");
  const [left, young, foreign] = [".table.json.0123456789ab.tmp", ".table.json.ba9876543210.tmp", ".other.tmp"];
  for (const name of [left, young, foreign]) await writeFile(join(folder, name), "half");
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of [left, foreign]) await utimes(join(folder, name), longAgo, longAgo);
  await writeFileAtomically(path, "whole");
  expect((await readdir(folder)).sort()).toEqual([foreign, young, "table.json"].sort());
});

test.each([
  ["a value", '{"a":1}', { state: "read", value: { a: 1 } }],
  ["nothing", "", { state: "unusable", reason: "it is empty" }],
  ["half of it", '{"a":', { state: "unusable", reason: expect.stringContaining("only in part") }],
  ["too much", JSON.stringify("x".repeat(200)), { state: "unusable", reason: "it is larger than 100 bytes" }],
])("readJsonFile() of %s", async (_what, content, expected) => {
  const path = join(folder, "table.json");
  await writeFile(path, content);
  expect(await readJsonFile(path, { bytesMax: 100 })).toEqual(expected);
});

test("readJsonFile() tells a missing file from an unusable one", async () => {
  expect(await readJsonFile(join(folder, "none"), { bytesMax: 100 })).toEqual({ state: "missing" });
  expect(await readJsonFile(folder, { bytesMax: 100 })).toEqual({
    state: "unusable",
    reason: "it is a folder, wanted a file",
  });
});
