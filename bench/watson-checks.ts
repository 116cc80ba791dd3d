/**
 * How many checks one Watson makes on one core, how well they keep their time, and what memory that takes.
 *
 *     node bench/watson-checks.ts [services] [interval] [seconds]
 *
 * A real Watson checks that many services over HTTP, each on a port of its own, served by a child process that notes
 * when each check arrives. Without a directory: checking does not depend on one.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDuration } from "@datawire/protocol";

const services = Number(process.argv[2] ?? 2_000);
const intervalMs = parseDuration(process.argv[3] ?? "2s");
const seconds = Number(process.argv[4] ?? 15);

const WARM_UP_MS = 2 * intervalMs + 3_000;
/** What Linux counts CPU time in; sysconf(_SC_CLK_TCK) is 100 everywhere. */
const TICKS_PER_SECOND = 100;

const folder = ownFolder("watson-checks-");
const children: ChildProcess[] = [];
try {
  await run();
} finally {
  for (const child of children) child.kill("SIGKILL");
}

async function run(): Promise<void> {
  const targets = fork(join(import.meta.dirname, "watson-targets.ts"), [String(services)]);
  children.push(targets);
  const ports = await answer<number[]>(targets);
  const file = ports.map(
    (port, index) =>
      `- { service: //service-${index}, url: "http://127.0.0.1:${port}", liveness: { interval: ${intervalMs}ms } }\n`,
  );
  await mkdir(join(folder, "services"));
  await writeFile(join(folder, "services", "all.yaml"), file.join(""));

  const main = join(import.meta.dirname, "..", "packages", "watson", "src", "main.ts");
  const directory = ["--directory", "//127.0.0.1:1/directory"];
  const folders = ["--services", join(folder, "services"), "--data-dir", join(folder, "state")];
  const args = [main, ...directory, ...folders, "--admin", "off", "--log-level", "error"];
  const watson = spawn(process.execPath, args, { stdio: "inherit" });
  children.push(watson);
  watson.once("exit", (code) => code !== null && console.log(`Watson ended by itself with ${code}`));
  const pid = String(watson.pid);
  await sleep(WARM_UP_MS);
  const cpuBefore = await cpuSeconds(pid);
  targets.send("start");
  await sleep(seconds * 1_000);
  targets.send("stop");
  const arrivals = await answer<number[][]>(targets);
  const cpu = (await cpuSeconds(pid)) - cpuBefore;

  const gaps = arrivals.flatMap((atMs) => atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0)));
  const errors = gaps.map((gapMs) => Math.abs(gapMs - intervalMs) / intervalMs).toSorted((a, b) => a - b);
  const count = arrivals.reduce((sum, list) => sum + list.length, 0);
  const perSecond = perSecondSpread(arrivals.flat());
  const memory = await readFile(`/proc/${pid}/status`, "utf8");
  console.table({
    services,
    "interval (ms)": intervalMs,
    "checks a second": Math.round(count / seconds),
    "in the quietest and busiest 100 ms": `${perSecond.min} to ${perSecond.max}`,
    "off its interval, median": percent(errors, 0.5),
    "off its interval, 99%": percent(errors, 0.99),
    "off its interval, worst": percent(errors, 1),
    "CPU (share of one core)": `${((cpu / seconds) * 100).toFixed(1)}%`,
    "CPU a check (µs)": Math.round((cpu / count) * 1e6),
    "memory (MB)": megabytes(memory, "VmRSS"),
    "memory, most (MB)": megabytes(memory, "VmHWM"),
  });
}

function perSecondSpread(atMs: readonly number[]): { min: number; max: number } {
  const buckets = new Map<number, number>();
  for (const at of atMs) buckets.set(Math.floor(at / 100), (buckets.get(Math.floor(at / 100)) ?? 0) + 1);
  const counts = [...buckets.entries()].toSorted(([a], [b]) => a - b).slice(1, -1);
  return { min: Math.min(...counts.map(([, n]) => n)), max: Math.max(...counts.map(([, n]) => n)) };
}

function percent(sorted: readonly number[], quantile: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? Number.NaN;
  return `${(value * 100).toFixed(2)}%`;
}

function megabytes(status: string, key: string): number {
  return Math.round(Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024);
}

async function cpuSeconds(pid: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name in parentheses may hold spaces; proc(5) numbers utime 14 and stime 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve) => child.once("message", (message) => resolve(message as T)));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
