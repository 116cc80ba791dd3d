import "./harness/no-remains.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually } from "../e2e/harness/wait.ts";
import { cpuPerRequest, pidOf } from "./cpu.ts";
import { needPrograms } from "./harness/programs.ts";
import { startHandWritten, startSherlock } from "./harness/proxies.ts";
import { backendConfig, startNginx } from "./nginx.ts";
import { median } from "./stats.ts";

/**
 * What parts of Sherlock's configuration cost HAProxy: the same one with something left out, beside a hand-written one,
 * before the same nginx at full load over 8 connections (wrk), in interleaved runs:
 *   node bench/proxy-parts.ts [RUNS] [SECONDS]
 * CPU a request, medians of RUNS (8) of SECONDS (1) each, and their ratios to that of the hand-written one.
 * `chrt -r 1` before it takes the place of a quiet machine. Needs nginx and wrk (Debian: nginx-light, wrk).
 */
needPrograms("haproxy", "nginx", "wrk");
const runs = Number(process.argv[2] ?? 8);
const seconds = Number(process.argv[3] ?? 1);
const CONNECTIONS = 8;
const SERVICE = "service0";

/** Lines to leave out, or a text to put in the place of another, by name. */
const PARTS: Readonly<Record<string, RegExp | readonly [RegExp, string]>> = {
  "the repeat of a GET that broke off": /^ {2}retry-on .*empty-response/,
  "a third of the buffer": [/tune\.bufsize 24576/, "tune.bufsize 16384"],
  "the four X-Forwarded headers": /^ {2}http-request (?:add|set)-header X-Forwarded-(?!.* if screened)/,
  "the form of answers by Accept": /set-var\(txn\.form\)|^ {2}http-after-response set-header Content-Type/,
  "the look for odd requests": /^ {2}acl odd |set-var\(txn\.odd\)/,
  "the rules for responses": /^ {2}http-response /,
  "the checks": [/^( {2}default-server) check .*/gm, "$1 weight 100"],
};

const stack = new Stack();
const children: ChildProcess[] = [];
try {
  const folder = join(stack.folder, "bench");
  mkdirSync(folder);
  const [backend, hand, ...ports] = (await freePorts(Object.keys(PARTS).length + 3)) as [number, number, ...number[]];
  children.push(startNginx(folder, "backend", backendConfig(backend)));
  const traffic = await startSherlock(stack, [SERVICE], backend);
  const run = join(stack.folder, "run");
  const config = await eventually(() => {
    const text = readFileSync(join(run, "haproxy.cfg"), "utf8");
    // The files follow what commands have brought.
    if (!text.includes(`127.0.0.1:${backend}`)) throw new Error("the configuration has no server yet");
    return text;
  });
  const start = async (name: string, port: number, text: string): Promise<readonly [string, number, number]> => {
    const own = join(folder, String(port));
    mkdirSync(own);
    // Sockets and the files of servers stay behind.
    cpSync(join(run, "maps"), join(own, "maps"), { recursive: true });
    writeFileSync(join(own, "servers.state"), "1\n");
    writeFileSync(join(own, "haproxy.cfg"), text.replaceAll(run, own).replaceAll(`:${traffic}`, `:${port}`));
    const child = spawn("haproxy", ["-q", "-f", join(own, "haproxy.cfg")], { stdio: "inherit" });
    children.push(child);
    return [name, port, pidOf(child)];
  };
  const started = [await start("all of it", ports[0] as number, config)];
  for (const [i, [name, part]] of Object.entries(PARTS).entries())
    started.push(await start(`without ${name}`, ports[i + 1] as number, without(config, part)));
  children.push(startHandWritten(folder, hand, [SERVICE], backend));
  started.push(["hand-written", hand, pidOf(children.at(-1) as ChildProcess)]);
  for (const [name, port] of started) await eventually(() => answers(name, port));
  await report(started);
} finally {
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.filter((child) => child.exitCode === null).map((child) => once(child, "exit")));
  await stack.dispose();
}

function without(config: string, part: RegExp | readonly [RegExp, string]): string {
  const changed =
    part instanceof RegExp
      ? config
          .split("\n")
          .filter((line) => !part.test(line))
          .join("\n")
      : config.replace(part[0], part[1]);
  if (changed === config) throw new Error(`Cannot leave out ${String(part)}: the configuration has nothing of it`);
  return changed;
}

async function answers(name: string, port: number): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${port}/${SERVICE}/`);
  if (status !== 200) throw new Error(`${name} answers ${status}`);
}

async function report(started: readonly (readonly [string, number, number])[]): Promise<void> {
  const rounds: number[][] = [];
  for (let round = 0; round < runs; round++) {
    const us: number[] = [];
    // Each round begins with another one, so that no place in the order favours anybody.
    for (let i = 0; i < started.length; i++) {
      const at = (round + i) % started.length;
      const [, port, pid] = started[at] as readonly [string, number, number];
      const url = `http://127.0.0.1:${port}/${SERVICE}/`;
      [us[at] = Number.NaN] = await cpuPerRequest([() => [pid]], { url, connections: CONNECTIONS, seconds });
    }
    rounds.push(us);
  }
  const of = (at: number): number => median(rounds.map((us) => us[at] as number));
  const base = of(started.length - 1);
  process.stdout.write("| | CPU a request, us | to hand-written |\n| --- | --- | --- |\n");
  for (const [at, [name]] of started.entries()) {
    process.stdout.write(`| ${name} | ${of(at).toFixed(1)} | ${(of(at) / base).toFixed(2)} |\n`);
  }
}
