import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findLookups } from "./find-lookups.ts";

const folder = join(import.meta.dirname, "testing");
const file = join(folder, "lookups.ts");

test("findLookups() finds every lookup that may find what objects inherit, and nothing else", () => {
  const wanted = readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line, i) => (line.endsWith("// found") ? [i + 1] : []));
  expect(wanted.length).toBeGreaterThan(5);
  const found = findLookups(join(folder, "tsconfig.json"), (path) => path === file);
  expect(found.map(({ line }) => line)).toEqual(wanted);
});
