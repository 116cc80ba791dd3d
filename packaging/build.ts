// Builds the programs of this checkout, and packages of them: .deb, .rpm and the tarball for npm.
//   node packaging/build.ts [--out FOLDER] [--only deb|rpm|npm]... [--sign KEY [--valid DAYS]]
// With a private key, PEM, the list of the packages is signed, for 365 days or DAYS, and an install.sh beside it takes no other.
import { parseArgs } from "node:util";
import { join, relative, resolve } from "node:path";
import { buildPrograms, LIB } from "../scripts/build-programs.ts";
import { buildPackages, type Format, formats } from "./build-packages.ts";
import { ROOT } from "./source.ts";
import { sign, VALID_DAYS } from "./sign.ts";
import { writeSums } from "./sums.ts";

/** A hundred years: with that, nobody is asked again. */
const DAYS_MAX = 36_500;

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    only: { type: "string", multiple: true },
    sign: { type: "string" },
    valid: { type: "string" },
  },
});
const only = values.only ?? [...formats];
const unknown = only.find((name) => !formats.some((format) => format === name));
if (unknown !== undefined) {
  console.error(`Cannot build ${JSON.stringify(unknown)}: wanted one of ${formats.join(", ")}`);
  process.exit(64);
}

const validDays = Number(values.valid ?? VALID_DAYS);
if (!Number.isInteger(validDays) || validDays < 1 || validDays > DAYS_MAX || (values.valid && !values.sign)) {
  console.error(`Cannot sign for ${values.valid} days: wanted --valid 1 to ${DAYS_MAX}, beside --sign KEY`);
  process.exit(64);
}

try {
  const out = resolve(values.out ?? join(ROOT, "dist"));
  await buildPrograms();
  const { files, missing } = await buildPackages({ out, formats: only as Format[], bundled: LIB });
  const sums = await writeSums(out);
  const signed = values.sign === undefined ? [] : await sign(sums, values.sign, { validDays });
  for (const file of [...files, sums, ...signed]) console.log(relative(process.cwd(), file));
  for (const line of missing) console.error(line);
  process.exitCode = missing.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
