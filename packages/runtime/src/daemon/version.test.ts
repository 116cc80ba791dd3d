import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { VERSION, userAgent } from "./version.ts";

test.each(["../../package.json", "../../../../package.json"])("VERSION is that of %s", async (path) => {
  const manifest = JSON.parse(await readFile(new URL(path, import.meta.url), "utf8")) as { version: string };
  expect(VERSION).toBe(manifest.version);
});

test("userAgent() names the program", () => {
  expect(userAgent("watson")).toBe(`watson/${VERSION}`);
});
