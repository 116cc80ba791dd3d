import { execFile } from "node:child_process";
import { createHash, createSign, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sign } from "../packaging/sign.ts";
import { writeSums } from "../packaging/sums.ts";
import { asRoot } from "./harness/as-root.ts";

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
async function install(
  args: readonly string[],
  { programs = [] as readonly string[], script = SCRIPT } = {},
): Promise<Ran> {
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
    "fold",
    "openssl",
    "date",
    "head",
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
    execFile("/bin/sh", [script, ...args], { env }, (error, stdout, stderr) =>
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

/** A private key in a file, with its public one beside it. */
async function makeKey(name: string): Promise<{ readonly secret: string; readonly known: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [secret, known] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  await writeFile(secret, privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(known, publicKey.export({ type: "spki", format: "pem" }));
  return { secret, known };
}

test("install.sh takes what is signed by the key that it knows, and nothing of who has taken over the mirror", async () => {
  const [ours, theirs] = await Promise.all([makeKey("ours"), makeKey("theirs")]);
  const place = await mkdtemp(join(folder, "signed-"));
  const file = join(place, "datawire-dw_0.1.0_all.deb");
  await writeFile(join(place, "datawire-node_24.0.1_amd64.deb"), "node");
  await writeFile(file, "dw");
  const [signature = "", script = ""] = await sign(await writeSums(place), ours.secret);
  const programs = ["apt-get", "dpkg"];
  // Both know where the packages are: the script that was laid beside them, and who has the key apart.
  const withKey = () => install(["--from", place, "--key", ours.known, "--only", "dw"], { programs });
  const withScript = () => install(["--only", "dw"], { programs, script });
  for (const run of [withKey, withScript]) {
    const { code, stdout, stderr } = await run();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("apt-get install");
  }

  const good = await readFile(signature);
  const refused = async (why: string): Promise<void> => {
    for (const run of [withKey, withScript]) {
      const { code, stdout, stderr } = await run();
      expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
      expect(stdout).not.toContain("apt-get install");
    }
  };
  await writeFile(signature, good.toReversed());
  await refused("SHA256SUMS.sig is not its signature by the key; nothing is installed");
  await rm(signature);
  await refused("SHA256SUMS.sig");
  // A package with a list to match, signed by somebody else, or with the signature of the list before.
  await writeFile(file, "something else");
  await sign(await writeSums(place), theirs.secret);
  const { code } = await install(["--from", place, "--key", ours.known, "--only", "dw"], { programs });
  expect(code).toBe(1);
  await writeFile(signature, good);
  const { stderr } = await withKey();
  expect(stderr).toContain("SHA256SUMS.sig is not its signature by the key; nothing is installed");
});

test("install.sh takes no signed list that is too old, or says nothing of its age", async () => {
  const ours = await makeKey("dated");
  const place = await mkdtemp(join(folder, "dated-"));
  await writeFile(join(place, "dstack-0.1.0.tgz"), "dstack");
  const nowMs = Date.now();
  const signed = async (daysAgo: number): Promise<string> => {
    const sums = await writeSums(place);
    const [, script = ""] = await sign(sums, ours.secret, { nowMs: nowMs - daysAgo * 86_400_000, validDays: 30 });
    return script;
  };
  const run = (script: string, ...args: readonly string[]) =>
    install(["--from", place, "--key", ours.known, "--dry-run", ...args], { programs: ["npm"], script });
  await signed(29);
  expect(await run(SCRIPT)).toMatchObject({ code: 0, stderr: "" });
  await signed(31);
  const late = await run(SCRIPT);
  expect([late.code, late.stderr]).toEqual([
    1,
    expect.stringMatching(/: it held until \S+Z, and it is \S+Z; wanted a list that is signed anew, or --expired\n$/),
  ]);
  expect(await run(SCRIPT, "--expired")).toMatchObject({ code: 0, stderr: "" });
  // The script that was signed with a newer list knows that there is one.
  const newer = join(folder, "newer.sh");
  await writeFile(newer, await readFile(await signed(1)));
  await signed(2);
  expect((await run(newer)).stderr).toMatch(
    /: it was signed at \S+Z, before this script \(\S+Z\); somebody shows an old/,
  );
  const sums = join(place, "SHA256SUMS");
  const [signature = ""] = await sign(await writeSums(place), ours.secret);
  await writeFile(sums, (await readFile(sums, "utf8")).replace(/^# valid.*\n/m, ""));
  await writeFile(
    signature,
    createSign("sha256")
      .update(await readFile(sums))
      .sign(await readFile(ours.secret)),
  );
  expect((await run(SCRIPT)).stderr).toContain("it does not say until when it holds");
});

test.each([
  ["nothing.pem", /^Cannot sign with .*nothing\.pem: wanted a private key/],
  ["ed25519.pem", /^Cannot sign with .*ed25519\.pem: it is a key of ed25519, wanted /],
])("packages are not signed with %s", async (name, message) => {
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeFile(join(folder, "ed25519.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await expect(sign(join(folder, "mirror/SHA256SUMS"), join(folder, name))).rejects.toThrow(message);
});

test("install.sh has apt install what it has checked, into a root of its own", async () => {
  const place = await mkdtemp(join(folder, "apt-"));
  const root = join(place, "root");
  const settings = [
    `Dir "${root}/";`,
    `Dir::State::status "${root}/var/lib/dpkg/status";`,
    `Dir::Bin::dpkg "/usr/bin/dpkg";`,
    `Dir::Bin::methods "/usr/lib/apt/methods";`,
    `DPkg::Options { "--root=${root}"; "--log=${root}/dpkg.log"; };`,
    `APT::Sandbox::User "root";`,
  ];
  await writeFile(join(place, "apt.conf"), `${settings.join("\n")}\n`);
  const lay = [
    `mkdir -p ${root}/var/lib/dpkg/info ${root}/var/lib/dpkg/updates ${root}/var/cache/apt/archives/partial`,
    `mkdir -p ${root}/var/lib/apt/lists/partial ${root}/etc/apt/apt.conf.d ${root}/etc/apt/preferences.d ${root}/var/log/apt`,
    `: >${root}/var/lib/dpkg/status; : >${root}/etc/apt/sources.list`,
    ...["node", "dw"].flatMap((name) => [
      `mkdir -p ${place}/${name}/DEBIAN ${place}/${name}/usr/lib/datawire`,
      `echo ${name} >${place}/${name}/usr/lib/datawire/${name}`,
      `printf 'Package: datawire-${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: a <a@localhost>\nDescription: a\n${name === "dw" ? "Depends: datawire-node\n" : ""}' >${place}/${name}/DEBIAN/control`,
      `dpkg-deb --root-owner-group --build ${place}/${name} ${place}/datawire-${name}_1.0_${name === "dw" ? "all" : "$(dpkg --print-architecture)"}.deb`,
    ]),
  ];
  const run = (script: string): Promise<Ran> =>
    new Promise((resolve) => {
      const [program, ...args] = asRoot(["env", `APT_CONFIG=${place}/apt.conf`, "sh", "-euc", script]);
      execFile(program, args, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  expect(await run(lay.join("\n"))).toMatchObject({ code: 0 });
  await writeSums(place);
  const ran = await run(`sh ${SCRIPT} --from ${place} --only dw`);
  expect(`${ran.stderr}${ran.stdout}`).toContain("Installed.");
  expect((await run(`dpkg-query --admindir ${root}/var/lib/dpkg -W -f '\${Package} \${Status};'`)).stdout).toBe(
    "datawire-dw install ok installed;datawire-node install ok installed;",
  );
  expect(await readFile(join(root, "usr/lib/datawire/dw"), "utf8")).toBe("dw\n");
  // It is root's.
  await run(`rm -rf ${place}`);
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
