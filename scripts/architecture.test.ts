import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
const folders = (path: string): string[] =>
  readdirSync(join(ROOT, path), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

test("docs/architecture.md names nothing that is not there", () => {
  const named = [...page.matchAll(/`((?:packages|scripts)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("docs/architecture.md names every package, and every room of the directory and of Sherlock", () => {
  const packages = folders("packages").map((name) => `packages/${name}`);
  expect(packages.filter((path) => !page.includes(`\`${path}\``))).toEqual([]);
  const rooms = [
    ...folders("packages/directory/src"),
    ...folders("packages/sherlock/src").filter((name) => name !== "core"),
    ...folders("packages/sherlock/src/core").map((name) => `core/${name}`),
  ].filter((name) => name !== "testing");
  expect(rooms.filter((room) => !page.includes(`\`${room}\``))).toEqual([]);
});
