import "./harness/no-remains.ts";
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";
import { request } from "undici";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually } from "../e2e/harness/wait.ts";
import { cpuUs, pidOf } from "./cpu.ts";
import { printLoad } from "./harness/print.ts";
import { SpanMaker, SPANS_A_REQUEST, traceIdOf } from "./harness/span-maker.ts";
import { residentMb } from "./memory.ts";
import { median, quantile } from "./stats.ts";

/**
 * The traces of a directory beside those of Jaeger's all-in-one with badger on the same disk, in turns:
 *   node bench/jaeger.ts ALL_IN_ONE [SPANS]      default: 100000
 * Both take the same spans of `SpanMaker` as protobuf of OTLP over HTTP, by two connections, as fast as they do: the
 * directory until it has answered, which means on the disk, and Jaeger until its metrics say that all are saved. Then both
 * are asked the same. Without a program it says so and ends with 1. How one is made: `go get -tool
 * github.com/jaegertracing/jaeger/cmd/all-in-one@v1.76.0` in an empty module, and `go build` of that path; its pages are
 * not part of the module, and nobody looks at them here.
 */
const [program, spansWanted = "100000"] = process.argv.slice(2);
const total = Number(spansWanted);
const ROUNDS = 5;
const TIMES = 20;

if (program === undefined) {
  process.stderr.write(
    "Cannot measure: wanted the path of Jaeger's all-in-one as the first argument, see bench/jaeger.ts\n",
  );
  process.exit(1);
}

/** One of the two. */
interface Keeper {
  readonly name: string;
  readonly pid: number;
  /** Where spans are sent. */
  readonly intake: string;
  /** How many it has kept so far, of those that it was sent. */
  kept(sent: number): Promise<number>;
  readonly questions: Readonly<Record<Question, () => string>>;
}

const QUESTIONS = [
  "one trace",
  "the newest 20 of a service",
  "one value of a service",
  "errors of a service",
  "the slowest of a service",
] as const;
type Question = (typeof QUESTIONS)[number];

const HOUR_US = 3_600_000_000;
/** What Jaeger counts its saved spans by, one line a service. */
const SAVED = "jaeger_collector_spans_saved_by_svc_total{";
/** Each port that it listens on, by the option that sets it. */
const PORT_OPTIONS = [
  "collector.otlp.http.host-port",
  "query.http-server.host-port",
  "admin.http.host-port",
  "collector.otlp.grpc.host-port",
  "collector.grpc-server.host-port",
  "collector.http-server.host-port",
  "query.grpc-server.host-port",
] as const;

const stack = new Stack();
const ports = await freePorts(PORT_OPTIONS.length);
const [intakePort, queryPort, adminPort] = ports;
const child = spawn(program, argumentsOf(), {
  env: { PATH: process.env["PATH"], SPAN_STORAGE_TYPE: "badger" },
  stdio: "ignore",
});
try {
  const keepers = [await ours(), await theirs()];
  await measureIntake(keepers);
  await measureQuestions(keepers);
  for (const { name, pid } of keepers) print(`memory of ${name}: ${residentMb(pid)} MB`);
  printLoad();
} finally {
  child.kill("SIGKILL");
  await stack.dispose();
}

async function measureIntake(keepers: readonly Keeper[]): Promise<void> {
  const spans = new SpanMaker();
  const eachRound = Math.ceil(total / ROUNDS / SPANS_A_REQUEST);
  const rates = keepers.map((): number[] => []);
  const cpu = keepers.map(() => 0);
  for (let round = 1; round <= ROUNDS; round++) {
    const bodies = Array.from({ length: eachRound }, () => spans.request());
    for (const [i, keeper] of keepers.entries()) {
      const beforeUs = cpuUs([keeper.pid]);
      const beganMs = performance.now();
      await sendAll(keeper.intake, bodies);
      const wanted = round * eachRound * SPANS_A_REQUEST;
      await eventually(async () => {
        const kept = await keeper.kept(wanted);
        if (kept < wanted) throw new Error(`${keeper.name} has kept ${kept} of ${wanted} spans`);
      });
      rates[i]?.push((eachRound * SPANS_A_REQUEST * 1_000) / (performance.now() - beganMs));
      cpu[i] = (cpu[i] as number) + cpuUs([keeper.pid]) - beforeUs;
    }
  }
  for (const [i, { name }] of keepers.entries()) {
    const each = ((cpu[i] as number) / (ROUNDS * eachRound * SPANS_A_REQUEST)).toFixed(1);
    print(`${name}: ${Math.round(median(rates[i] ?? []))} spans/s, median of ${ROUNDS} rounds; CPU ${each} µs a span`);
  }
  print(`intake: ${(median(rates[0] ?? []) / median(rates[1] ?? [])).toFixed(2)} × Jaeger's (wanted: 0.5)`);
}

async function measureQuestions(keepers: readonly Keeper[]): Promise<void> {
  for (const question of QUESTIONS) {
    const times = keepers.map((): number[] => []);
    const cpu = keepers.map(() => 0);
    for (let i = 0; i < TIMES; i++) {
      for (const [k, { name, pid, questions }] of keepers.entries()) {
        const beforeUs = cpuUs([pid]);
        const beganMs = performance.now();
        const answer = await request(questions[question]());
        const text = await answer.body.text();
        times[k]?.push(performance.now() - beganMs);
        cpu[k] = (cpu[k] as number) + cpuUs([pid]) - beforeUs;
        if (answer.statusCode !== 200 || isEmpty(text)) throw new Error(`${name}, ${question}: ${text.slice(0, 500)}`);
      }
    }
    const shown = keepers.map(({ name }, k) => {
      const all = times[k] ?? [];
      const cpuMs = Math.round((cpu[k] as number) / 1_000 / TIMES);
      return `${name} ${median(all).toFixed(1)} ms, slowest ${quantile(all, 1).toFixed(1)} ms, CPU ${cpuMs} ms`;
    });
    const ratio = median(times[0] ?? []) / median(times[1] ?? []);
    print(`${question}: ${shown.join("; ")}; ${ratio.toFixed(2)} × (wanted: 2)`);
  }
}

async function ours(): Promise<Keeper> {
  const directory = await stack.startDirectory([], { traces: { rate: "1000000/s", size: "8GiB" } });
  const base = `http://127.0.0.1:${(await stack.ports()).directory}`;
  return {
    name: "directory",
    pid: directory.pid,
    intake: `${base}/v1/traces`,
    kept: (sent) => Promise.resolve(sent), // it has answered
    questions: {
      "one trace": () => `${base}/v1/traces/${traceIdOf(123)}`,
      "the newest 20 of a service": () => `${base}/v1/traces?service=service3&limit=20`,
      "one value of a service": () => `${base}/v1/traces?service=service3&q=user.id%3D${valueOf(3)}&limit=20`,
      "errors of a service": () => `${base}/v1/traces?service=service3&error=true&limit=20`,
      "the slowest of a service": () => `${base}/v1/traces?service=service3&min=900ms&limit=20`,
    },
  };
}

async function theirs(): Promise<Keeper> {
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  await eventually(async () => {
    if (!(await fetch(`http://127.0.0.1:${adminPort}/`)).ok) throw new Error("Jaeger is not ready");
  });
  const traces = `http://127.0.0.1:${queryPort}/api/traces`;
  const list = (more: Readonly<Record<string, string>>): string => {
    const nowUs = Date.now() * 1_000;
    const asked = { service: "service3", limit: "20", start: String(nowUs - HOUR_US), end: String(nowUs), ...more };
    return `${traces}?${new URLSearchParams(asked).toString()}`;
  };
  return {
    name: "Jaeger",
    pid: pidOf(child),
    intake: `http://127.0.0.1:${intakePort}/v1/traces`,
    async kept() {
      const lines = (await metrics()).split("\n").filter((line) => line.startsWith(SAVED) && /result="ok"/.test(line));
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    questions: {
      "one trace": () => `${traces}/${traceIdOf(123)}`,
      "the newest 20 of a service": () => list({}),
      "one value of a service": () => list({ tags: JSON.stringify({ "user.id": String(valueOf(3)) }) }),
      "errors of a service": () => list({ tags: JSON.stringify({ error: "true" }) }),
      "the slowest of a service": () => list({ minDuration: "900ms" }),
    },
  };
}

/** The user of a trace that the service has: each request of a `SpanMaker` is of the next service. */
function valueOf(service: number): number {
  return (service * SPANS_A_REQUEST) / 10 + 7;
}

function argumentsOf(): string[] {
  const folder = join(stack.folder, "jaeger");
  mkdirSync(folder);
  return [
    ...PORT_OPTIONS.map((option, i) => `--${option}=127.0.0.1:${ports[i]}`),
    "--badger.ephemeral=false",
    `--badger.directory-key=${join(folder, "keys")}`,
    `--badger.directory-value=${join(folder, "values")}`,
    // What finds no room in the queue is lost, and the sender is told that it was taken.
    "--collector.queue-size=1000000",
    "--log-level=error",
  ];
}

/** Both answer with traces or spans in a list. */
function isEmpty(text: string): boolean {
  const { traces, spans, data } = JSON.parse(text) as { traces?: unknown[]; spans?: unknown[]; data?: unknown[] };
  return (traces ?? spans ?? data ?? []).length === 0;
}

/** Sends all of them, by two connections. */
async function sendAll(url: string, bodies: readonly Uint8Array[]): Promise<void> {
  const left = [...bodies];
  const headers = { "content-type": "application/x-protobuf" };
  const sender = async (): Promise<void> => {
    for (let body = left.pop(); body !== undefined; body = left.pop()) {
      const answer = await request(url, { method: "POST", headers, body });
      if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${await answer.body.text()}`);
      await answer.body.dump();
    }
  };
  await Promise.all([sender(), sender()]);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
