import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { BUNDLE_MAIN, bundleProgram, type Program } from "../packaging/bundle.ts";
import { cpuUs, tree } from "./cpu.ts";
import { freePorts } from "@datawire/runtime/testing";
import { sleep } from "../e2e/harness/wait.ts";
import { pssMb } from "./memory.ts";

/**
 * What Watson, Sherlock and HAProxy cost a machine on which nothing happens, as an agent and as two programs:
 *   node bench/idle.ts [SERVICES] [INSTANCES] [CHECKED] [SECONDS]
 * SERVICES (10) of INSTANCES (1) each, each instance of a service at an address of its own; the first CHECKED (10) are of
 * this machine and are checked once a second, the others are another Watson's. Memory is PSS, with a copy of Node that no other process shares; CPU is that of
 * SECONDS (60), which begin ten seconds after the first answer.
 */
const [services = 10, instances = 1, checked = 10, seconds = 60] = process.argv.slice(2).map(Number);
const SETTLE_MS = 10_000;
const folder = ownFolder("dstack-idle-");

/** Where the instances of a service are: all of the loopback network is this machine's. */
const hosts = Array.from({ length: instances }, (_, i) => `127.0.0.${i + 1}`);
const [port = 0] = await freePorts(1);
const servers = hosts.map((host) => createServer((_req, res) => res.end("ok")).listen(port, host));
await Promise.all(servers.map((server) => once(server, "listening")));

try {
  for (const program of ["directory", "agent", "watson", "sherlock"] as const) {
    await bundleProgram(program, join(folder, program));
  }
  copyFileSync(process.execPath, join(folder, "node"));
  await measure("agent", ["agent"]);
  await measure("watson and sherlock", ["watson", "sherlock"]);
} finally {
  for (const server of servers) server.close();
}

async function measure(title: string, programs: readonly Program[]): Promise<void> {
  const home = join(folder, title.replaceAll(" ", "-"));
  for (const name of ["here", "elsewhere"]) mkdirSync(join(home, name), { recursive: true });
  const [directory, traffic, admin, other] = (await freePorts(4)) as [number, number, number, number];
  const address = `//127.0.0.1:${directory}/directory`;
  writeServices(home);
  const started = [
    start(process.execPath, "directory", home, ["--listen", `127.0.0.1:${directory}`, "--data-dir", join(home, "d")]),
  ];
  await answers(`http://127.0.0.1:${directory}/readyz`);
  if (services * instances > checked) {
    const far = ["--services", join(home, "elsewhere"), "--admin", "off", "--data-dir", join(home, "far")];
    started.push(start(process.execPath, "watson", home, ["-d", address, "--host", "127.0.0.1", ...far]));
  }
  const begin = performance.now();
  const measured = programs.map((program) =>
    start(join(folder, "node"), program, home, ["-d", address, ...optionsOf(program, home, { traffic, admin, other })]),
  );
  started.push(...measured);
  await answers(`http://127.0.0.1:${traffic}/service${services - 1}/`);
  const firstMs = performance.now() - begin;
  await sleep(SETTLE_MS);
  const pids = tree(...measured.map(({ pid }) => pid as number));
  const before = pids.map((pid) => cpuUs([pid]));
  const from = performance.now();
  await sleep(seconds * 1_000);
  const tookMs = performance.now() - from;
  process.stdout.write(`${title}: first answer after ${Math.round(firstMs)} ms\n`);
  let [memory, cpu] = [0, 0];
  for (const [i, pid] of pids.entries()) {
    const used = (cpuUs([pid]) - (before[i] as number)) / tookMs / 10;
    memory += pssMb(pid);
    cpu += used;
    process.stdout.write(`  ${pssMb(pid).toFixed(1).padStart(6)} MB ${used.toFixed(2).padStart(6)}% ${nameOf(pid)}\n`);
  }
  process.stdout.write(`  ${memory.toFixed(1).padStart(6)} MB ${cpu.toFixed(2).padStart(6)}% of a core in all\n`);
  for (const child of started.toReversed()) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
}

function writeServices(home: string): void {
  const all = Array.from({ length: services * instances }, (_, i) => ({
    service: `//service${i % services}`,
    instance: `i${Math.floor(i / services)}`,
    url: `http://${hosts[Math.floor(i / services)]}:${port}/`,
    liveness: { interval: "1s" },
  }));
  const far = all.slice(checked).map((one) => ({ ...one, liveness: { interval: "1h" } }));
  writeFileSync(join(home, "here", "all.yaml"), JSON.stringify(all.slice(0, checked)));
  writeFileSync(join(home, "elsewhere", "all.yaml"), JSON.stringify(far));
}

interface Ports {
  readonly traffic: number;
  readonly admin: number;
  readonly other: number;
}

function optionsOf(program: Program, home: string, { traffic, admin, other }: Ports): string[] {
  const watson = ["--services", join(home, "here"), "--host", "127.0.0.1"];
  const sherlock = ["--listen", `127.0.0.1:${traffic}`, "--run-dir", join(home, "run")];
  const own = ["--data-dir", join(home, program), "--admin", `127.0.0.1:${program === "sherlock" ? other : admin}`];
  return [...(program === "sherlock" ? [] : watson), ...(program === "watson" ? [] : sherlock), ...own];
}

function start(node: string, program: Program, home: string, args: readonly string[]): ChildProcess {
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin`, HOME: home };
  return spawn(node, [join(folder, program, BUNDLE_MAIN), ...args], { env, stdio: "ignore" });
}

async function answers(url: string): Promise<void> {
  while (true) {
    const ok = await fetch(url)
      .then((response) => response.ok)
      .catch(() => false);
    if (ok) return;
    await sleep(5);
  }
}

function nameOf(pid: number): string {
  const [program = "", script = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  return program.endsWith("node") ? (script.split("/").at(-2) ?? "") : (program.split("/").at(-1) ?? "");
}
