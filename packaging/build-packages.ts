import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, programs, readUsed } from "./bundle.ts";
import { isInstalled } from "./command.ts";
import { describePackages, type Parts } from "./contents.ts";
import { buildDeb } from "./deb.ts";
import { prepareNode } from "./node-runtime.ts";
import { buildNpmPackage } from "./npm.ts";
import { buildNpmLibrary } from "./npm-library.ts";
import { buildRpm } from "./rpm.ts";
import { sourceEpoch, sourceVersion } from "./source.ts";
import { describeLicences } from "./third-party.ts";

export type Format = "deb" | "rpm" | "npm";
export const formats: readonly Format[] = ["deb", "rpm", "npm"];

export interface BuildOptions {
  /** The folder for the packages; packages of the same names in it are replaced. */
  readonly out: string;
  readonly formats: readonly Format[];
  /** Versions that the system packages get; default: the version of the sources. The programs in all are the same. */
  readonly versions?: readonly string[];
  /** The folder in which `buildPrograms` has put the programs of these sources. */
  readonly bundled: string;
  /** Default 9: the 19 of dpkg takes Node ten times as long for a tenth less. */
  readonly zstdLevel?: number;
}

export interface Built {
  /** The packages. */
  readonly files: readonly string[];
  /** What could not be built here: one line each, with what to do. */
  readonly missing: readonly string[];
}

/** Packages the programs. */
export async function buildPackages(options: BuildOptions): Promise<Built> {
  const { out, formats: wanted, versions, bundled, zstdLevel = 9 } = options;
  const version = await sourceVersion();
  const work = await mkdtemp(join(tmpdir(), "dstack-package-"));
  try {
    await mkdir(out, { recursive: true });
    const { bundles, licences, all } = await readBundles(bundled);
    const context = { out, zstdLevel, epoch: await sourceEpoch() };
    const files: string[] = [];
    const missing: string[] = [];
    if (wanted.includes("npm"))
      files.push(
        await buildNpmPackage({ bundles, licences: all, version }, { ...context, work }),
        await buildNpmLibrary(version, { ...context, work }),
      );
    const system = wanted.filter((format) => format !== "npm");
    if (system.length === 0) return { files, missing };

    const parts: Parts = { bundles, licences, node: await prepareNode(work) };
    const lists = await Promise.all((versions ?? [version]).map((each) => describePackages(each, parts)));
    // Node has a version of its own, and is the same in all lists.
    const packages = new Map(lists.flat().map((pkg) => [`${pkg.name} ${pkg.version}`, pkg]));
    for (const format of system) {
      const { build, program, remedy } = builders[format];
      if (!(await isInstalled(program))) {
        missing.push(`Cannot build .${format}: ${program} is missing; ${remedy}`);
        continue;
      }
      for (const pkg of packages.values()) {
        const own = pkg.files.filter((file) => file.format === undefined || file.format === format);
        files.push(await build({ ...pkg, files: own }, { ...context, work: await mkdtemp(join(work, "package-")) }));
      }
    }
    return { files, missing };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const builders = {
  deb: { build: buildDeb, program: "dpkg-deb", remedy: "install the package dpkg" },
  rpm: { build: buildRpm, program: "rpmbuild", remedy: "install the package rpm (Debian) or rpm-build (Fedora)" },
} as const;

interface BuiltProgram {
  readonly program: Program;
  readonly bundle: string;
  readonly used: ReadonlySet<string>;
  readonly licences: string;
}

async function readBundles(folder: string): Promise<Pick<Parts, "bundles" | "licences"> & { readonly all: string }> {
  const built: BuiltProgram[] = [];
  for (const program of programs) {
    const bundle = join(folder, program);
    const used = await readUsed(bundle);
    built.push({ program, bundle, used, licences: await describeLicences(used) });
  }
  const of = <T>(value: (one: BuiltProgram) => T): Record<Program, T> =>
    Object.fromEntries(built.map((one) => [one.program, value(one)])) as Record<Program, T>;
  return {
    bundles: of(({ bundle }) => bundle),
    licences: of(({ licences }) => licences),
    all: await describeLicences(new Set(built.flatMap(({ used }) => [...used]))),
  };
}
