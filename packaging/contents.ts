import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { manPages } from "../scripts/reference/man.ts";
import type { Program } from "./bundle.ts";
import { completionFiles } from "./completion.ts";
import type { Package, PackagedFile } from "./package.ts";
import { ROOT } from "./source.ts";

/** What has been built before it is packaged. */
export interface Parts {
  /** Each program's folder. */
  readonly bundles: Readonly<Record<Program, string>>;
  readonly licences: Readonly<Record<Program, string>>;
  readonly node: { readonly file: string; readonly version: string; readonly licence: string };
}

const summaries: Readonly<Record<Program, string>> = {
  agent: "Runs Watson and Sherlock of one machine in one process",
  directory: "Keeps which service instances are alive and which routes hold",
  watson: "Checks the services of this machine and registers them with a directory",
  sherlock: "Leads localhost to live instances of services, through HAProxy",
  router: "Routes messages by address over AMQP 1.0, and keeps queues and topics on disk",
  dw: "Command line of Datawire dstack",
};

/** All packages of a version; `1.0.0-beta.1` becomes `1.0.0~beta.1`, which both formats sort before `1.0.0`. */
export async function describePackages(sourceVersion: string, parts: Parts): Promise<Package[]> {
  const version = sourceVersion.replace("-", "~");
  const { node } = parts;
  const withNode = {
    deb: [`datawire-node (>= ${node.version})`],
    rpm: [`datawire-node >= ${node.version}`],
  };
  const daemon = async (
    program: Exclude<Program, "agent" | "dw">,
    needs: Package["needs"] = { deb: [], rpm: [] },
  ): Promise<Package> => {
    const base = await describeProgram(program, version, parts);
    return {
      ...base,
      needs: {
        deb: [...withNode.deb, "passwd", ...needs.deb],
        rpm: [...withNode.rpm, "/usr/bin/getent", "/usr/sbin/useradd", "systemd", ...needs.rpm],
      },
      files: [...base.files, ...daemonFiles(program)],
      folders: program === "watson" ? ["/etc/datawire.d"] : [],
      script: await readScript(program, ["link", "systemd", "daemon"]),
    };
  };
  const dw = await describeProgram("dw", version, parts);
  const agent = await describeProgram("agent", version, parts);
  return [
    await describeNode(parts),
    await daemon("directory"),
    await daemon("watson"),
    await daemon("sherlock", { deb: ["haproxy (>= 2.4)"], rpm: ["haproxy >= 2.4"] }),
    await daemon("router"),
    {
      ...agent,
      needs: {
        deb: [...withNode.deb, "datawire-watson", "datawire-sherlock"],
        rpm: [...withNode.rpm, "datawire-watson", "datawire-sherlock", "systemd"],
      },
      files: [...agent.files, unitFile("agent")],
      script: await readScript("agent", ["systemd", "agent"]),
    },
    {
      ...dw,
      needs: withNode,
      files: [...dw.files, ...(await completionFiles(parts.bundles.dw))],
      script: await readScript("dw", ["link", "command"]),
    },
  ];
}

async function describeProgram(
  program: Program,
  version: string,
  { bundles, licences }: Parts,
): Promise<Omit<Package, "needs" | "script">> {
  const name = `datawire-${program}`;
  const documents = `/usr/share/doc/${name}`;
  const launcher = (await readFile(join(ROOT, "packaging/launcher.sh"), "utf8")).replaceAll("@PROGRAM@", program);
  return {
    name,
    version,
    summary: summaries[program],
    architecture: "all",
    folders: [],
    files: [
      { path: `/usr/lib/datawire/bin/${program}`, content: { data: launcher }, mode: 0o755 },
      { path: `/usr/lib/datawire/${program}`, content: { folder: bundles[program] }, mode: 0o644 },
      { path: `${documents}/copyright`, content: { data: licences[program] }, mode: 0o644 },
      { path: `${documents}/install.md`, content: { file: join(ROOT, "docs/install.md") }, mode: 0o644 },
      { path: `${documents}/changelog.gz`, content: { data: await changelog() }, mode: 0o644 },
      ...manual(program, version),
    ],
  };
}

const compress = (text: string | Uint8Array): Uint8Array => gzipSync(text, { level: 9 });
const changelog = async (): Promise<Uint8Array> => compress(await readFile(join(ROOT, "CHANGELOG.md")));

/** The manual pages of a program and of the files that it reads, compressed as the policy of Debian (12.1) wants them. */
function manual(program: Program, version: string): PackagedFile[] {
  const own = [`${program}.`, ...(program === "watson" ? ["datawire.d."] : [])];
  return manPages({ version })
    .filter(({ file }) => own.some((start) => file.startsWith(start)))
    .map(({ file, text }) => ({
      path: `/usr/share/man/man${file.at(-1)}/${file}.gz`,
      content: { data: compress(text) },
      mode: 0o644,
    }));
}

function daemonFiles(program: Exclude<Program, "agent" | "dw">): PackagedFile[] {
  const name = `datawire-${program}`;
  const file = (path: string, source: string): PackagedFile => ({
    path,
    content: { file: join(ROOT, source) },
    mode: 0o644,
  });
  return [
    unitFile(program),
    file(`/usr/lib/tmpfiles.d/${name}.conf`, `packaging/tmpfiles.d/${name}.conf`),
    { ...file(`/etc/datawire/${program}.yaml`, `etc/datawire/${program}.yaml`), setting: true },
    ...(program === "watson"
      ? [
          {
            path: "/usr/share/doc/datawire-watson/examples",
            content: { folder: join(ROOT, "etc/datawire.d") },
            mode: 0o644,
          },
        ]
      : []),
  ];
}

function unitFile(program: Program): PackagedFile {
  const unit = `datawire-${program}.service`;
  return {
    path: `/usr/lib/systemd/system/${unit}`,
    content: { file: join(ROOT, "packaging/systemd", unit) },
    mode: 0o644,
  };
}

async function describeNode({ node }: Parts): Promise<Package> {
  return {
    name: "datawire-node",
    version: node.version,
    summary: "Node.js for the programs of Datawire dstack",
    architecture: "native",
    needs: {
      // What the build of nodejs.org asks for: glibc 2.28 and the C++ library of GCC 8 (BUILDING.md of Node 24).
      deb: ["libc6 (>= 2.28)", "libstdc++6 (>= 8)", "libgcc-s1"],
      rpm: ["glibc >= 2.28", "libstdc++ >= 8", "libgcc"],
    },
    folders: [],
    files: [
      { path: "/usr/lib/datawire/node", content: { file: node.file }, mode: 0o755 },
      { path: "/usr/share/doc/datawire-node/copyright", content: { file: node.licence }, mode: 0o644 },
    ],
    script: (await readScript("node", ["systemd", "node"])).replaceAll("@VERSION@", node.version),
  };
}

async function readScript(program: string, names: readonly string[]): Promise<string> {
  const files = names.map((name) => readFile(join(ROOT, "packaging/maintainer", `${name}.sh`), "utf8"));
  return (await Promise.all(files)).join("\n").replaceAll("@PROGRAM@", program);
}
