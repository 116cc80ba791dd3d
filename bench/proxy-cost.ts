import "./harness/no-remains.ts";
import { type ChildProcess, execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually } from "../e2e/harness/wait.ts";
import { cpuPerRequest, tree } from "./cpu.ts";
import { needPrograms } from "./harness/programs.ts";
import { startHandWritten, startSherlock } from "./harness/proxies.ts";
import { backendConfig, startNginx } from "./nginx.ts";
import { median, quantile } from "./stats.ts";

/**
 * What Sherlock's HAProxy costs beside a hand-written minimal one and nginx, all in front of the same nginx backends:
 *   node bench/proxy-cost.ts [RUNS] [SECONDS]
 * CPU a request at full load over 8 connections (wrk), and latency at 2,000 requests a second (h2load), in interleaved
 * runs: medians, and the ratio to the hand-written one. Needs nginx, wrk and h2load (Debian: nginx-light, wrk,
 * nghttp2-client).
 */
needPrograms("haproxy", "nginx", "wrk", "h2load");
const runs = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 4);
const SERVICES = [1, 100, 1_000] as const;
const CONNECTIONS = 8;
const REQUESTS_A_SECOND = 2_000;

const exec = promisify(execFile);

/** A proxy under test: where it listens, and the processes whose CPU counts. */
interface Contender {
  readonly name: string;
  readonly url: (service: string) => string;
  readonly pids: () => number[];
}

for (const services of SERVICES) {
  const stack = new Stack();
  const children: ChildProcess[] = [];
  try {
    const folder = join(stack.folder, "bench");
    mkdirSync(folder);
    const [backend, hand, proxy] = (await freePorts(3)) as [number, number, number];
    const names = Array.from({ length: services }, (_, i) => `service${i}`);
    children.push(startNginx(folder, "backend", backendConfig(backend)));
    children.push(startNginx(folder, "proxy", proxyConfig(proxy, names, backend)));
    children.push(startHandWritten(folder, hand, names, backend));
    await eventually(() => fetch(`http://127.0.0.1:${hand}/service0/`));
    const contenders: Contender[] = [
      contender("hand-written HAProxy", hand, () => tree(children[2]?.pid as number)),
      contender("nginx", proxy, () => tree(children[1]?.pid as number)),
      contender("Sherlock's HAProxy", await startSherlock(stack, names, backend), () => tree(...stack.haproxyPids())),
    ];
    await report(services, names, contenders);
  } finally {
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(children.filter((child) => child.exitCode === null).map((child) => once(child, "exit")));
    await stack.dispose();
  }
}

async function report(services: number, names: readonly string[], contenders: readonly Contender[]): Promise<void> {
  const cpu = new Map<string, number[]>();
  const p50 = new Map<string, number[]>();
  const p99 = new Map<string, number[]>();
  for (let run = 0; run < runs; run++) {
    // Each run begins with another one, so that no place in the order favours anybody.
    for (let i = 0; i < contenders.length; i++) {
      const one = contenders[(run + i) % contenders.length] as Contender;
      const url = one.url(names[(run * 7) % names.length] as string);
      const [us] = await cpuPerRequest([one.pids], { url, connections: CONNECTIONS, seconds });
      push(cpu, one.name, us as number);
      const latencies = await latenciesUs(url);
      push(p50, one.name, quantile(latencies, 0.5));
      push(p99, one.name, quantile(latencies, 0.99));
    }
  }
  const base = (contenders[0] as Contender).name;
  print(`\n${services} service${services === 1 ? "" : "s"}, medians of ${runs} interleaved runs of ${seconds} s`);
  print("| | CPU a request, us | to hand-written | p50 at 2,000/s, us | p99 at 2,000/s, us | to hand-written |");
  print("| --- | --- | --- | --- | --- | --- |");
  for (const { name } of contenders) {
    const of = (figures: ReadonlyMap<string, number[]>, who: string): number => median(figures.get(who) ?? []);
    const ratio = (figures: ReadonlyMap<string, number[]>): string =>
      (of(figures, name) / of(figures, base)).toFixed(2);
    const cells = [
      of(cpu, name).toFixed(1),
      ratio(cpu),
      of(p50, name).toFixed(0),
      of(p99, name).toFixed(0),
      ratio(p99),
    ];
    print(`| ${name} | ${cells.join(" | ")} |`);
  }
}

async function latenciesUs(url: string): Promise<number[]> {
  const file = join("/tmp", `dstack-h2load-${process.pid}.log`);
  rmSync(file, { force: true });
  await exec("h2load", [
    "--h1",
    "-t1",
    `-c${CONNECTIONS}`,
    `-D${seconds}`,
    `--rps=${REQUESTS_A_SECOND / CONNECTIONS}`,
    `--log-file=${file}`,
    url,
  ]);
  const rows = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("\t"));
  rmSync(file);
  if (rows.some(([, status]) => status !== "200"))
    throw new Error(`Cannot use this run: not every answer of ${url} was 200`);
  return rows.map((row) => Number(row[2]));
}

function proxyConfig(port: number, names: readonly string[], backend: number): string {
  const locations = names.map((name) => `location /${name}/ { proxy_pass http://backend/; }`).join("\n");
  return `upstream backend { server 127.0.0.1:${backend}; keepalive 64; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port}; keepalive_requests 100000000; proxy_http_version 1.1; proxy_set_header Connection "";
${locations} }`;
}

function contender(name: string, port: number, pids: () => number[]): Contender {
  return { name, pids, url: (service) => `http://127.0.0.1:${port}/${service}/` };
}

function push(figures: Map<string, number[]>, name: string, value: number): void {
  figures.set(name, [...(figures.get(name) ?? []), value]);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
