import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildPackages } from "../packaging/build-packages.ts";
import { LIB } from "../scripts/build-programs.ts";
import type { Child } from "./harness/child.ts";
import { readPage } from "./harness/docs/page.ts";
import { Machine } from "./harness/machine.ts";
import { eventually, sleep } from "./harness/wait.ts";

/** Its commands for packages are those that this test runs. */
const PAGE = join(import.meta.dirname, "../docs/install.md");
const FIXTURES = join(import.meta.dirname, "fixtures");
const daemons = ["directory", "watson", "sherlock"] as const;
const units = daemons.map((name) => `datawire-${name}.service`);
const names = ["node", ...daemons, "dw"].map((name) => `datawire-${name}`);
/** These come with \`datawire-*\`, and not with those that the page installs first. */
const all = [...names, "datawire-router", "datawire-agent"];

let machine: Machine;
/** What had been written before anything was installed. */
let pristine: ReadonlySet<string>;

beforeAll(async () => {
  machine = await Machine.boot();
  pristine = new Set(await machine.written());
  const { missing } = await buildPackages({
    out: machine.exchange,
    formats: ["deb", "rpm"],
    versions: ["1.0.0", "1.0.1"],
    zstdLevel: 1,
    bundled: LIB,
  });
  if (missing.length > 0) throw new Error(missing.join("\n"));
});
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  process.stderr.write(await machine.shell("journalctl --no-pager -o short-monotonic -n 60 -u 'datawire-*'"));
});
afterAll(() => machine?.dispose());

describe(".deb packages on a machine with systemd", () => {
  test("install, without starting anything, on Debian's haproxy and a Node of their own", async () => {
    await install("1.0.0", "apt install ./datawire-node_*.deb");
    expect(await machine.must("dw", "--version")).toMatch(/^\d+\.\d+\.\d+/);
    for (const name of daemons) expect(await machine.must(name, "--version")).toMatch(/^\d+\.\d+\.\d+/);
    expect(await machine.shell("ls -l /usr/bin/dw /usr/bin/watson")).toContain("lib/datawire/bin/dw");
    for (const name of daemons) {
      expect((await machine.run(["systemctl", "is-active", `datawire-${name}`])).stdout).toBe("inactive");
      await machine.must("runuser", "-u", `datawire-${name}`, "--", name, "--check");
    }
    // What `dw up` and `dw service add microlog` need.
    for (const file of ["samples/microlog/microlog.py", "samples/microchat/web/index.html", "browser/datawire.js"])
      await machine.must("test", "-s", `/usr/lib/datawire/dw/${file}`);
    // dpkg's own look at what it installed
    expect(await machine.must("dpkg", "--verify", ...names)).toBe("");
    expect(await machine.must("dpkg", "--audit")).toBe("");
  });

  test("bring manual pages, and completion where each shell looks", async () => {
    const [dw] = packages("1.0.0", "deb").filter((file) => file.includes("-dw_"));
    const files = await machine.must("dpkg-deb", "--contents", `/mnt/exchange/${dw}`);
    expect(files.match(/usr\/share\/(?!doc).*[^/]$/gm)).toEqual(
      expect.arrayContaining(forShells("vendor-completions")),
    );
  });

  test("bring units that systemd finds nothing wrong with", async () => {
    const { code, stdout, stderr } = await machine.run(["systemd-analyze", "verify", "--man=no", ...units]);
    expect({ code, said: `${stdout}${stderr}` }).toEqual({ code: 0, said: "" });
    for (const unit of units) {
      // Exposure in tenths: 10 is 1.0, "OK"; a daemon without hardening has 9.6.
      await machine.must("systemd-analyze", "security", "--no-pager", "--threshold=20", unit);
    }
  });

  test("serve, and say to systemd when they do", async () => {
    await machine.shell(pageLine("systemctl enable"));
    await emit("1");
    await eventually(async () =>
      expect(await machine.shell("curl -sS localhost:5432/emitter/")).toContain("emitter-1"),
    );
    expect(await states()).toEqual({ directory: "active", watson: "active", sherlock: "active" });
    expect(await users()).toEqual({
      directory: "datawire-directory",
      watson: "datawire-watson",
      sherlock: "datawire-sherlock",
    });
  });

  test("lose no request in an upgrade, and keep changed settings", async () => {
    await machine.shell("echo 'zone: here' >>/etc/datawire/watson.yaml");
    const before = await pids();
    const load = machine.startOnNetwork(join(FIXTURES, "load.ts"), ["http://127.0.0.1:5432/emitter/"]);
    await install("1.0.1", "apt install ./datawire-*.deb");
    await eventually(async () => {
      const now = await pids();
      for (const name of daemons) expect(now[name]).not.toBe(before[name]);
      expect(await states()).toEqual({ directory: "active", watson: "active", sherlock: "active" });
    });
    await sleep(500);
    expect(await endLoad(load)).toMatchObject({ failures: [] });
    expect(await haproxy()).toEqual(before.haproxy);
    expect((await pids()).haproxy).toEqual(before.haproxy);
    expect(await machine.must("tail", "-n1", "/etc/datawire/watson.yaml")).toBe("zone: here");
  });

  test("hand over to the agent, and take back, without losing a request", async () => {
    const before = await pids();
    const load = machine.startOnNetwork(join(FIXTURES, "load.ts"), ["http://127.0.0.1:5432/emitter/"]);
    await machine.must("systemd-analyze", "verify", "--man=no", "datawire-agent.service");
    await machine.shell(pageBlock("systemctl disable datawire-watson"));
    expect(await machine.must("systemctl", "is-active", "datawire-agent")).toBe("active");
    expect(await states()).toMatchObject({ watson: "inactive", sherlock: "inactive" });
    expect((await pids()).haproxy).toEqual(before.haproxy);
    expect(await machine.shell("curl -sS localhost:5431/metrics")).toContain("datawire_sherlock_");
    await machine.shell(
      "systemctl disable datawire-agent; systemctl kill --kill-who=main -s USR1 datawire-agent; " +
        "while systemctl is-active --quiet datawire-agent; do sleep 0.1; done; " +
        "systemctl enable --now datawire-watson datawire-sherlock",
    );
    expect(await states()).toMatchObject({ watson: "active", sherlock: "active" });
    expect(await endLoad(load)).toMatchObject({ failures: [] });
    expect((await pids()).haproxy).toEqual(before.haproxy);
  });

  test("stay down on a bad configuration, and say why", async () => {
    await machine.shell("echo 'zoen: there' >>/etc/datawire/watson.yaml; systemctl restart --no-block datawire-watson");
    await eventually(async () => expect((await states()).watson).toBe("failed"));
    await sleep(1_500); // longer than the pause before a restart
    expect(await machine.must("systemctl", "show", "-P", "ExecMainStatus", "datawire-watson")).toBe("78");
    expect((await states()).watson).toBe("failed");
    expect(await machine.must("journalctl", "-o", "cat", "-u", "datawire-watson", "-n5")).toMatch(
      /watson\.yaml:\d+:1: .*zoen/,
    );
    await machine.shell("sed -i '$d' /etc/datawire/watson.yaml; systemctl restart datawire-watson");
    expect((await states()).watson).toBe("active");
  });

  test("end HAProxy when Sherlock is stopped", async () => {
    await machine.must("systemctl", "stop", "datawire-sherlock");
    expect(await haproxy()).toEqual([]);
    await machine.must("systemctl", "start", "datawire-sherlock");
    expect(await machine.shell("curl -sS localhost:5432/emitter/")).toContain("emitter-1");
  });

  test("leave nothing when purged, not even what an upgrade had left serving", async () => {
    await machine.shell("systemctl kill --kill-who=main -s USR1 datawire-sherlock");
    await eventually(async () => expect((await states()).sherlock).toBe("inactive"));
    expect(await haproxy()).not.toEqual([]);
    await machine.shell("rm /etc/datawire.d/emitter.yaml"); // ours, not the package's
    const purged = await machine.shell(pageLine("apt purge").replace("apt", "apt-get --simulate"));
    expect(purged.match(/(?<=^Purg )\S+/gm)?.toSorted()).toEqual(all.toSorted());
    await machine.must("dpkg", "--purge", ...all);
    await eventually(async () =>
      expect(await machine.shell("ps -e -o user:32,args | grep '^datawire' || true")).toBe(""),
    );
    expect(await machine.shell("getent passwd | grep datawire || true; getent group | grep datawire || true")).toBe("");
    expect(await left()).toEqual([]);
  });
});

describe(".rpm packages", () => {
  const database = "--dbpath=/run/rpm";
  test("install, run and leave nothing but state and users", async () => {
    const files = packages("1.0.0", "rpm").map((file) => `/mnt/exchange/${file}`);
    await machine.shell(`printf '%s\n' "${DEBIAN_FOR_RPM}" >/run/debian.spec
      rpmbuild -bb --quiet --define '_topdir /run/rpmbuild' --define '_dbpath /run/rpm' /run/debian.spec
      rpm ${database} -i /run/rpmbuild/RPMS/noarch/debian-1-1.noarch.rpm`);
    await machine.must("rpm", database, "-i", ...files);
    expect(await machine.must("dw", "--version")).toMatch(/^\d+\.\d+\.\d+/);
    const listed = (await machine.must("rpm", database, "-ql", "datawire-dw")).split("\n");
    expect(listed).toEqual(expect.arrayContaining(forShells("site-functions").map((path) => `/${path}`)));
    await machine.must("systemctl", "start", "datawire-directory");
    await machine.must("curl", "-fsS", "http://localhost:5430/readyz");
    expect(await machine.must("rpm", database, "-V", ...all)).toBe("");
    await machine.shell("echo '# mine' >>/etc/datawire/directory.yaml");
    const next = packages("1.0.1", "rpm").filter((file) => !file.startsWith("datawire-node"));
    await machine.must("rpm", database, "-U", ...next.map((file) => `/mnt/exchange/${file}`));
    expect(await machine.must("tail", "-n1", "/etc/datawire/directory.yaml")).toBe("# mine");
    await eventually(async () => expect((await states()).directory).toBe("active"));
    await machine.must("rpm", database, "-e", ...all);
    // As rpm has it: what was changed, and state.
    const state = [...daemons, "router"].map((name) => `/var/lib/datawire/${name}`);
    // rpm does not know that Debian's fish has the folder too.
    const shared = ["/usr/share/fish/vendor_completions.d"];
    const kept = (await left()).filter(
      (path) => !state.some((folder) => path.startsWith(`${folder}/`)) && !shared.includes(path),
    );
    expect(kept).toEqual(
      ["/etc/datawire", "/etc/datawire/directory.yaml.rpmsave", "/var/lib/datawire", ...state].toSorted(),
    );
  });
});

/** A package that tells rpm what this copy of a Debian machine has. */
const DEBIAN_FOR_RPM = `Name: debian
Version: 1
Release: 1
Summary: What dpkg has installed
License: none
BuildArch: noarch
Provides: /bin/sh /usr/bin/getent /usr/sbin/useradd systemd libgcc haproxy = 2.6 glibc = 2.36 libstdc++ = 12
%description
%files`;

/** Manual pages and completion of `dw`; zsh has its folder in other places on other systems. */
const forShells = (zsh: string): string[] => [
  "usr/share/bash-completion/completions/dw",
  "usr/share/fish/vendor_completions.d/dw.fish",
  "usr/share/man/man1/dw.1.gz",
  "usr/share/man/man5/dw.yaml.5.gz",
  `usr/share/zsh/${zsh}/_dw`,
];

/** The files of a version; Node's have a version of their own. */
function packages(version: string, format: "deb" | "rpm"): string[] {
  return readdirSync(machine.exchange).filter(
    (file) => file.endsWith(`.${format}`) && (file.includes(version) || file.startsWith("datawire-node")),
  );
}

/**
 * Installs what the page names, in a folder that has the packages of a version and no others. By dpkg, which is quicker
 * than apt; that apt does it as well is seen in `three-hosts.test.ts`.
 */
async function install(version: string, line: string): Promise<void> {
  const files = packages(version, "deb").map((file) => `/mnt/exchange/${file}`);
  const folder = `/run/packages-${version}`;
  // Nobody will miss what a power failure takes from a throw-away machine.
  const command = pageLine(line).replace("apt install", "dpkg --force-unsafe-io --install");
  await machine.shell(`mkdir ${folder}; ln -s ${files.join(" ")} ${folder}; cd ${folder}; ${command}`);
}

/** The line of docs/install.md that begins so. */
function pageLine(start: string): string {
  const commands = readPage(readFileSync(PAGE, "utf8")).items.flatMap((item) =>
    item.kind === "skipped" ? item.commands : [],
  );
  const found = commands.find((line) => line.startsWith(start));
  if (found === undefined) throw new Error(`docs/install.md has no command that begins with ${JSON.stringify(start)}`);
  return found;
}

/** The block of the page that begins so. */
function pageBlock(start: string): string {
  const blocks = readPage(readFileSync(PAGE, "utf8")).items.flatMap((item) =>
    item.kind === "skipped" ? [item.commands] : [],
  );
  const found = blocks.find(([first]) => first?.startsWith(start));
  if (found === undefined) throw new Error(`docs/install.md has no block that begins with ${JSON.stringify(start)}`);
  return found.join("\n");
}

/** Starts an instance and announces it. */
async function emit(version: string): Promise<void> {
  const instance = machine.startOnNetwork(join(FIXTURES, "instance.ts"), ["--name", `emitter-${version}`]);
  const port = (await instance.line((line) => line.startsWith("listening on "))).slice("listening on ".length);
  const file = `service: //emitter\nurl: http://127.0.0.1:${port}\ninstance: emitter-${version}\n`;
  await machine.shell(`cat >/etc/datawire.d/emitter.yaml <<'EOF'\n${file}EOF`);
}

async function endLoad(load: Child): Promise<unknown> {
  load.endInput();
  return JSON.parse(await load.line((line) => line.startsWith("{")));
}

async function states(): Promise<Record<(typeof daemons)[number], string>> {
  return each(async (name) => (await machine.run(["systemctl", "is-active", `datawire-${name}`])).stdout);
}

async function users(): Promise<Record<(typeof daemons)[number], string>> {
  return each(async (name) => machine.shell(`ps -o user:32= -p "$(systemctl show -P MainPID datawire-${name})"`));
}

async function pids(): Promise<Record<(typeof daemons)[number], string> & { readonly haproxy: readonly string[] }> {
  const main = await each((name) => machine.must("systemctl", "show", "-P", "MainPID", `datawire-${name}`));
  return { ...main, haproxy: await haproxy() };
}

/** The masters of HAProxy; workers come and go with reloads. */
async function haproxy(): Promise<string[]> {
  const found = await machine.shell("ps -e -o pid=,ppid=,comm= | awk '$3 == \"haproxy\"'");
  const all = found.split("\n").map((line) => line.trim().split(/\s+/));
  const pids = new Set(all.map(([pid]) => pid));
  return all.filter(([, parent]) => !pids.has(parent)).flatMap(([pid]) => pid || []);
}

async function each<T>(
  of: (name: (typeof daemons)[number]) => Promise<T>,
): Promise<Record<(typeof daemons)[number], T>> {
  const values = await Promise.all(daemons.map(async (name) => [name, await of(name)] as const));
  return Object.fromEntries(values) as Record<(typeof daemons)[number], T>;
}

/** What package managers, useradd and systemd write for themselves. */
const notOurs =
  /^\/(?:etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)-?$|etc\/\.pwd\.lock$|var\/(?:lib\/(?:dpkg|systemd|rpm)|log|cache|tmp|spool)\b|tmp\b|run\b|mnt\b|etc\/systemd\/system(?:\/multi-user\.target\.wants)?$)/;

/** What is there and was not, and what was there and is not. */
async function left(): Promise<string[]> {
  const now = await machine.written();
  const added = now.filter((entry) => !pristine.has(entry) && (isDeletion(entry) || isNew(pathOf(entry))));
  const gone = [...pristine].filter((entry) => !now.includes(entry) && !isDeletion(entry));
  return [...added, ...gone]
    .map(pathOf)
    .filter((path) => !notOurs.test(path))
    .toSorted();
}

/** What the real machine has was there; of dstack the copy began with nothing. */
const isNew = (path: string): boolean => !existsSync(path) || path.includes("datawire");
const isDeletion = (entry: string): boolean => entry.startsWith("c ");
const pathOf = (entry: string): string => entry.slice(2);
