// Builds the packages of this checkout: .deb, .rpm and the tarball for npm.
//   node packaging/build.ts [--out FOLDER] [--only deb|rpm|npm]...
import { parseArgs } from "node:util";
import { join, relative, resolve } from "node:path";
import { buildPackages, type Format, formats } from "./build-packages.ts";
import { ROOT } from "./source.ts";
import { writeSums } from "./sums.ts";

const { values } = parseArgs({ options: { out: { type: "string" }, only: { type: "string", multiple: true } } });
const only = values.only ?? [...formats];
const unknown = only.find((name) => !formats.some((format) => format === name));
if (unknown !== undefined) {
  console.error(`Cannot build ${JSON.stringify(unknown)}: wanted one of ${formats.join(", ")}`);
  process.exit(64);
}

try {
  const out = resolve(values.out ?? join(ROOT, "dist"));
  const { files, missing } = await buildPackages({ out, formats: only as Format[] });
  for (const file of [...files, await writeSums(out)]) console.log(relative(process.cwd(), file));
  for (const line of missing) console.error(line);
  process.exitCode = missing.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
