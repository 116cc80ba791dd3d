// Looks whether the sources of the packages keep the rules of the house that no linter knows.
//   node scripts/house-check.ts
import { globSync, readFileSync } from "node:fs";
import { resolve, sep } from "node:path";
import { findBreaches } from "./house-check/find-breaches.ts";

const root = resolve(import.meta.dirname, "..");
const sources = globSync("packages/*/src/**/*.ts", { cwd: root }).map((path) => ({
  path: path.replaceAll(sep, "/"),
  text: readFileSync(resolve(root, path), "utf8"),
}));
const breaches = findBreaches(sources);
for (const breach of breaches) console.error(breach);
process.exitCode = breaches.length === 0 ? 0 : 1;
