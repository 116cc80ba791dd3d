import "./harness/no-remains.ts";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually } from "../e2e/harness/wait.ts";
import { needPrograms } from "./harness/programs.ts";
import { startHandWritten } from "./harness/proxies.ts";
import { cpuPerRequest, tree } from "./cpu.ts";
import { backendConfig, startNginx } from "./nginx.ts";
import { median } from "./stats.ts";

/**
 * What it costs to keep sessions (`--balance cookie:SERVERID`), all in front of the same nginx:
 *   node bench/session-cost.ts [RUNS] [SECONDS]
 * CPU a request at full load over 8 connections (wrk), in interleaved runs: medians, and the ratio to the first of each
 * pair. Needs nginx and wrk (Debian: nginx-light, wrk).
 */
needPrograms("haproxy", "nginx", "wrk");
const runs = Number(process.argv[2] ?? 9);
const seconds = Number(process.argv[3] ?? 2);
const CONNECTIONS = 8;

/** Something under test; `of` is what it is compared with. */
interface Contender {
  readonly name: string;
  readonly of?: string;
  readonly url: string;
  readonly cookie: string;
  readonly pids: () => number[];
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const stack = new Stack();
const children: ChildProcess[] = [];
try {
  const folder = join(stack.folder, "bench");
  mkdirSync(folder);
  const [backend, hand] = (await freePorts(2)) as [number, number];
  children.push(startNginx(folder, "backend", backendConfig(backend)));
  children.push(startHandWritten(folder, hand, ["plain", "kept"], backend, "kept"));
  await startSherlock(backend);
  const url = await stack.url("");
  await stack.dw("service", "set", "//kept", "--balance", "cookie:SERVERID");
  const session = await eventually(async () => {
    const set = (await fetch(`${url}/kept/`)).headers.get("set-cookie");
    if (set === null) throw new Error("no session has begun");
    return set.split(";")[0] as string;
  });
  const proxy = (): number[] => tree(...stack.haproxyPids());
  const handWritten = (): number[] => tree(children[1]?.pid as number);
  const contenders: Contender[] = [
    { name: "hand-written HAProxy", url: `http://127.0.0.1:${hand}/plain/`, cookie: "x=1", pids: handWritten },
    {
      name: "hand-written HAProxy, `cookie SERVERID insert`",
      of: "hand-written HAProxy",
      url: `http://127.0.0.1:${hand}/kept/`,
      cookie: "x=1; SERVERID=one",
      pids: handWritten,
    },
    { name: "a service without sessions", url: `${url}/plain/`, cookie: "x=1", pids: proxy },
    {
      name: "shares by a sticky cookie",
      of: "a service without sessions",
      url: `${url}/sticky/`,
      cookie: "x=1; user=1",
      pids: proxy,
    },
    {
      name: "sessions that go on",
      of: "a service without sessions",
      url: `${url}/kept/`,
      cookie: `x=1; ${session}`,
      pids: proxy,
    },
    { name: "sessions that begin", of: "a service without sessions", url: `${url}/kept/`, cookie: "x=1", pids: proxy },
  ];
  await report(contenders);
} finally {
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.filter((child) => child.exitCode === null).map((child) => once(child, "exit")));
  await stack.dispose();
}

async function report(contenders: readonly Contender[]): Promise<void> {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  const load = loadavg()[0] ?? 0;
  for (let run = 0; run < runs; run++) {
    // Each run begins with another one, so that no place in the order favours anybody.
    for (let i = 0; i < contenders.length; i++) {
      const { name, url, cookie, pids } = contenders[(run + i) % contenders.length] as Contender;
      const header = `Cookie: ${cookie}`;
      const [us] = await cpuPerRequest([pids], { url, connections: CONNECTIONS, seconds, header });
      figures.get(name)?.push(us as number);
    }
  }
  print(
    `medians of ${runs} interleaved runs of ${seconds} s; load ${load.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`,
  );
  print("| | CPU a request, us | ratio |");
  print("| --- | --- | --- |");
  const of = (name: string): number => median(figures.get(name) ?? []);
  for (const { name, of: base } of contenders)
    print(`| ${name} | ${of(name).toFixed(1)} | ${base === undefined ? "1" : (of(name) / of(base)).toFixed(2)} |`);
}

async function startSherlock(backend: number): Promise<void> {
  await stack.startDirectory();
  const { port } = await stack.startInstance({ service: "unused", name: "check" });
  const instance = (service: string, name: string, version: string) => ({
    service: `//${service}`,
    version,
    url: `http://127.0.0.1:${backend}`,
    instance: name,
    liveness: { http: `http://127.0.0.1:${port}/liveness_check`, interval: "10s" },
  });
  const files = ["plain", "sticky", "kept"].map((service) => instance(service, "one", "1"));
  stack.writeServiceFile("services", [...files, instance("sticky", "two", "2")]);
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  await stack.lists("sticky", { one: "live", two: "live" });
  await stack.dw("route", "add", "//monolith", "//sticky:2", "10%", "--sticky", "cookie:user");
  for (const service of ["plain", "sticky", "kept"]) {
    const url = await stack.url(`/${service}/`);
    await eventually(async () => {
      const { ok, status } = await fetch(url);
      if (!ok) throw new Error(`${service} answers ${status}`);
    });
  }
}
