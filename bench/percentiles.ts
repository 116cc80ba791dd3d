import "./harness/no-remains.ts";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { cpuPerRequest, tree } from "./cpu.ts";
import { needPrograms } from "./harness/programs.ts";
import { backendConfig, startNginx } from "./nginx.ts";
import { median, quantile } from "./stats.ts";

/**
 * What percentiles, the access log and spans cost: CPU a request of HAProxy and of Sherlock, at full load over 8 connections
 * (wrk), with each setting, in interleaved runs:
 *   node bench/percentiles.ts [RUNS] [SECONDS] [SETTING]
 * with SETTING, such as spans, those alone that have it.
 * Needs nginx and wrk.
 */
needPrograms("nginx", "wrk");
const runs = Number(process.argv[2] ?? 9);
const seconds = Number(process.argv[3] ?? 2);
const CONNECTIONS = 8;

const only = process.argv[4];

const ALL_SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { percentiles: "10%" },
  { percentiles: "on" },
  { access_log: "json" },
  { access_log: "json", percentiles: "10%" },
  { spans: "errors" },
  { spans: "10%" },
  { spans: "100%" },
];
const SETTINGS = ALL_SETTINGS.filter((one, i) => i === 0 || only === undefined || only in one);

/** Sherlock counts every five seconds. */
const COUNTED_MS = 6_000;

/** One Sherlock with its HAProxy. */
interface Contender {
  readonly title: string;
  readonly url: string;
  readonly metrics: string;
  readonly haproxy: () => number[];
  readonly sherlock: () => number[];
}

const stack = new Stack();
let backend: ChildProcess | null = null;
try {
  const [port] = (await freePorts(1)) as [number];
  backend = startNginx(stack.folder, "backend", backendConfig(port));
  await stack.startDirectory();
  const { port: checked } = await stack.startInstance({ service: "unused", name: "check" });
  stack.writeServiceFile("service", {
    service: "//service",
    version: "1",
    url: `http://127.0.0.1:${port}`,
    instance: "one",
    liveness: { http: `http://127.0.0.1:${checked}/liveness_check`, interval: "10s" },
  });
  await stack.startWatson();
  const contenders: Contender[] = [];
  for (const settings of SETTINGS) contenders.push(await startSherlock(settings, contenders.length));
  await report(contenders);
} finally {
  backend?.kill("SIGTERM");
  if (backend?.exitCode === null) await once(backend, "exit");
  await stack.dispose();
}

async function startSherlock(settings: Readonly<Record<string, string>>, index: number): Promise<Contender> {
  const [traffic, admin] = (await freePorts(2)) as [number, number];
  const folder = join(stack.folder, `s${index}`);
  mkdirSync(folder);
  const file = join(folder, "sherlock.yaml");
  writeFileSync(file, JSON.stringify({ ...settings, haproxy: { run_dir: folder } }));
  const addresses = ["--listen", `127.0.0.1:${traffic}`, "--admin", `127.0.0.1:${admin}`];
  const child = stack.start("sherlock", ["-d", await stack.directoryAddress(), "-c", file, ...addresses]);
  const url = `http://127.0.0.1:${traffic}/service/`;
  await eventually(async () => {
    const { status } = await fetch(url);
    if (status !== 200) throw new Error(`Sherlock ${index} answers ${status}`);
  });
  const title = Object.entries(settings).map(([key, value]) => `\`${key}: ${value}\``);
  return {
    title: title.join(", ") || "neither",
    url,
    metrics: `http://127.0.0.1:${admin}/metrics`,
    haproxy: () => tree(child.pid).filter((pid) => pid !== child.pid),
    sherlock: () => [child.pid],
  };
}

async function report(contenders: readonly Contender[]): Promise<void> {
  const figures = contenders.map(() => ({ haproxy: [] as number[], sherlock: [] as number[] }));
  for (let run = 0; run < runs; run++) {
    // Each run begins with another one, so that no place in the order favours anybody.
    for (let i = 0; i < contenders.length; i++) {
      const at = (run + i) % contenders.length;
      const { url, haproxy, sherlock } = contenders[at] as Contender;
      const [own, its] = await cpuPerRequest([haproxy, sherlock], { url, connections: CONNECTIONS, seconds });
      figures[at]?.haproxy.push(own as number);
      figures[at]?.sherlock.push(its as number);
    }
  }
  await sleep(COUNTED_MS);
  const seen = await Promise.all(contenders.map(({ metrics }) => shareSeen(metrics)));
  const base = figures[0]?.haproxy ?? [];
  print(`CPU a request in µs, medians of ${runs} interleaved runs of ${seconds} s`);
  print("| | HAProxy | lower quartile | more than with neither, run by run | Sherlock | requests told, or stood for |");
  print("| --- | --- | --- | --- | --- | --- |");
  contenders.forEach(({ title }, i) => {
    const { haproxy, sherlock } = figures[i] ?? { haproxy: [], sherlock: [] };
    const more = median(haproxy.map((value, run) => value - (base[run] as number)));
    const cells = [median(haproxy), quantile(haproxy, 0.25), more, median(sherlock)].map((value) => value.toFixed(1));
    print(`| ${title} | ${cells.join(" | ")} | ${((seen[i] as number) * 100).toFixed(1)}% |`);
  });
}

/** Which share of all requests the histogram has: less than all where lines found no room in the pipe. */
async function shareSeen(metrics: string): Promise<number> {
  const text = await (await fetch(metrics)).text();
  const value = (name: string): number => Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
  return value("datawire_latency_seconds_count") / value("datawire_requests_total");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
