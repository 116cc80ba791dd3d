import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSums } from "../packaging/sums.ts";

/** `install.sh`, from a mirror on this machine, into folders of the test. */
const SCRIPT = join(import.meta.dirname, "../install.sh");

let folder: string;
let mirror: Server;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dstack-install-"));
  await mkdir(join(folder, "mirror"));
  await writeFile(join(folder, "mirror/dstack-0.1.0.tgz"), "dstack");
  for (const name of ["node_24.0.0_amd64.deb", "node_24.0.1_amd64.deb", "dw_0.1.0_all.deb", "router_0.1.0_all.deb"])
    await writeFile(join(folder, "mirror", `datawire-${name}`), name);
  for (const name of ["node-24.0.0-1.x86_64.rpm", "dw-0.1.0-1.noarch.rpm"])
    await writeFile(join(folder, "mirror", `datawire-${name}`), name);
  await writeSums(join(folder, "mirror"));
  mirror = createServer((req, res) => {
    readFile(join(folder, "mirror", basename(req.url ?? ""))).then(
      (bytes) => res.end(bytes),
      () => res.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => void mirror.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}`;
});

afterAll(async () => {
  mirror.close();
  mirror.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the script with nothing but the programs that are named, beside those of every system. */
async function install(args: readonly string[], { programs = [] as readonly string[] } = {}): Promise<Ran> {
  const bin = await mkdtemp(join(folder, "bin-"));
  const system = [
    "sh",
    "mktemp",
    "rm",
    "tr",
    "sed",
    "grep",
    "sort",
    "tail",
    "cut",
    "sha256sum",
    "curl",
    "cp",
    "dirname",
    "chmod",
    "env",
    "printf",
    "cat",
  ];
  for (const name of system) await symlink(join("/usr/bin", name), join(bin, name));
  for (const name of programs) {
    // What it is told, it writes down.
    await writeFile(
      join(bin, name),
      `#!/bin/sh\necho "${name} $*" >>${bin}/calls\ncase $1 in --print-architecture) echo amd64 ;; esac\n`,
    );
    await chmod(join(bin, name), 0o755);
  }
  for (const [name, said] of [
    ["id", "0"],
    ["uname", "x86_64"],
  ] as const)
    await writeFile(join(bin, name), `#!/bin/sh\necho ${said}\n`, { mode: 0o755 });
  const env = { PATH: bin, HOME: folder, TMPDIR: folder };
  const ran = await new Promise<Ran>((resolve) => {
    execFile("/bin/sh", [SCRIPT, ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
  const calls = await readFile(join(bin, "calls"), "utf8").catch(() => "");
  return { ...ran, stdout: ran.stdout + calls };
}

test.each([
  [
    ["apt-get", "dpkg"],
    "dw,router",
    "datawire-node_24.0.1_amd64.deb datawire-dw_0.1.0_all.deb datawire-router_0.1.0_all.deb",
    "apt-get install -y -q",
  ],
  [["dnf", "rpm"], "dw", "datawire-node-24.0.0-1.x86_64.rpm datawire-dw-0.1.0-1.noarch.rpm", "dnf install -y"],
  [
    ["zypper", "rpm"],
    "dw",
    "datawire-node-24.0.0-1.x86_64.rpm datawire-dw-0.1.0-1.noarch.rpm",
    "zypper --non-interactive install",
  ],
  [["npm"], "dw", "dstack-0.1.0.tgz", "npm install --global"],
])("where there are %s, install.sh takes what is theirs", async (programs, only, files, command) => {
  const { code, stdout, stderr } = await install(["--from", base, "--only", only], { programs });
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`Installing ${files} from ${base}\n`);
  expect(stdout).toContain(command);
  for (const file of files.split(" ")) expect(stdout).toContain(`./${file}`);
  expect(stdout).toContain("Installed. Try: dw service add microlog");
});

test("install.sh installs nothing that the list does not vouch for", async () => {
  const file = join(folder, "mirror/datawire-dw_0.1.0_all.deb");
  const before = await readFile(file);
  await writeFile(file, "something else");
  const args = ["--from", base, "--format", "deb", "--only", "dw"];
  const { code, stdout, stderr } = await install(args, { programs: ["apt-get", "dpkg"] });
  await writeFile(file, before);
  const digest = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");
  expect(code).toBe(1);
  expect(stderr).toBe(
    `install.sh: Cannot trust datawire-dw_0.1.0_all.deb: its SHA-256 is ${digest("something else")}, wanted ${digest(before)}; nothing is installed\n`,
  );
  expect(stdout).not.toContain("apt-get install");
  expect((await readdir(folder)).filter((name) => name.startsWith("tmp."))).toEqual([]);
});

test("install.sh takes the list itself from who knows what it has to be", async () => {
  const wanted = createHash("sha256")
    .update(await readFile(join(folder, "mirror/SHA256SUMS")))
    .digest("hex");
  const programs = ["npm"];
  expect((await install(["--from", base, "--sums", wanted, "--dry-run"], { programs })).code).toBe(0);
  const other = await install(["--from", base, "--sums", "0".repeat(64), "--dry-run"], { programs });
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringMatching(/^install.sh: Cannot trust http.*SHA256SUMS: its SHA-256 is /),
  ]);
});

test.each([
  [
    ["--from", "http://packages.example.com"],
    ["npm"],
    64,
    "Cannot download from http://packages.example.com: wanted https://",
  ],
  [["--from", "/no/such/folder"], ["npm"], 1, "Cannot find packages: there is no folder /no/such/folder"],
  [["--only", "dw,barker"], ["npm"], 64, "Cannot install barker: wanted dw, directory, watson, sherlock or router"],
  [["--format", "msi"], ["npm"], 64, "Cannot use msi as --format: wanted deb, rpm or npm"],
  [["--format"], ["npm"], 64, "--format wants a value; see --help"],
  [["--from", "BASE"], [], 1, "Cannot install here: wanted apt-get, dnf, yum or zypper with root or sudo, or npm"],
  [["--from", "BASE", "--format", "rpm"], ["npm"], 1, "Cannot install .rpm packages: dnf, yum and zypper are missing"],
  [
    ["--from", "BASE/none/x?", "--only", "watson", "--format", "deb"],
    ["apt-get", "dpkg"],
    1,
    "Cannot find datawire-watson for this machine",
  ],
])("install.sh %s says in one line what is wrong", async (args, programs, expected, message) => {
  const { code, stdout, stderr } = await install(
    args.map((arg) => arg.replace(/^BASE.*/, base)),
    { programs },
  );
  expect({ code, stdout }).toEqual({ code: expected, stdout: stdout.replace(/.*install.*/, "") });
  expect(stderr).toMatch(/^install\.sh: [^\n]+\n$/);
  expect(stderr).toContain(message);
});
