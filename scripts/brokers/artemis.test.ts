import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mavenSettings, unpack } from "./artemis.ts";
import { checkJava, javaVersion } from "./java.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dstack-brokers-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("an archive is unpacked where it is the one that is wanted, and left alone otherwise", async () => {
  mkdirSync(join(folder, "in"));
  writeFileSync(join(folder, "in/file"), "text");
  const archive = join(folder, "a.tar.gz");
  execFileSync("tar", ["-czf", archive, "-C", folder, "in"]);
  rmSync(join(folder, "in"), { recursive: true });
  await expect(unpack(archive, "ab")).rejects.toThrow(/its SHA-512 is [0-9a-f]{128}, wanted ab; /);
  expect(readdirSync(folder)).toEqual(["a.tar.gz"]);
  await unpack(archive, createHash("sha512").update(readFileSync(archive)).digest("hex"));
  expect(readFileSync(join(folder, "in/file"), "utf8")).toBe("text");
});

test("the address of a repository is text in Maven's settings, whatever is in it", () => {
  expect(mavenSettings("http://maven.example/a?b&c<d")).toContain("<url>http://maven.example/a?b&amp;c&lt;d</url>");
});

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['openjdk version "21" 2023-09-19', 21],
  ['java version "1.8.0_402"', 8],
  ["no such thing", null],
])("the version of Java in %s is %s", (text, version) => {
  expect(javaVersion(text)).toBe(version);
});

test("Java that is missing or too old is told, with what is wanted", async () => {
  const wanted = "wanted Java 17 or newer in JAVA_HOME or PATH (Debian: openjdk-17-jre-headless)";
  const command = join(folder, "bin/java");
  const env = { ...process.env, JAVA_HOME: folder };
  await expect(checkJava(env)).rejects.toThrow(`Cannot run Artemis: ${command} does not start, ${wanted}`);
  mkdirSync(join(folder, "bin"));
  writeFileSync(command, "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n");
  chmodSync(command, 0o755);
  await expect(checkJava(env)).rejects.toThrow(`Cannot run Artemis with Java 11 (${command}): ${wanted}`);
});
