import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSystemCa } from "./system-ca.ts";

test("findSystemCa() takes the first file that is there", async () => {
  const folder = await mkdtemp(join(tmpdir(), "system-ca-"));
  const [missing, first, second] = ["missing", "first", "second"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([first, second].map((path) => writeFile(path, "")));
  expect(await findSystemCa([missing, first, second])).toBe(first);
  expect(await findSystemCa([missing])).toBeNull();
  await rm(folder, { recursive: true });
});
