// Looks for keys from outside that are looked up in a plain object, where `constructor` and `__proto__` always find
// something. A linter that knows no types cannot tell these from lookups in a list.
//   node scripts/key-check.ts [TSCONFIG]
import { relative, resolve } from "node:path";
import { findLookups } from "./key-check/find-lookups.ts";

const root = resolve(import.meta.dirname, "..");
const found = findLookups(resolve(process.argv[2] ?? `${root}/tsconfig.json`), (path) => {
  const inside = relative(root, path);
  return (
    /^(?:packages|packaging|scripts|examples)\//.test(inside) && !/\.test\.ts$|\/testing\/|node_modules/.test(inside)
  );
});
for (const { path, line, text, why } of found) console.error(`${relative(root, path)}:${line}: ${text}: ${why}`);
if (found.length > 0) console.error("Wanted a Map, or `own(object, key)` of @datawire/protocol");
process.exitCode = found.length === 0 ? 0 : 1;
