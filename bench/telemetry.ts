import "./harness/no-remains.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { request } from "undici";
import { openRawLink } from "../e2e/harness/raw-link.ts";
import { Stack } from "../e2e/harness/stack.ts";
import { sleep } from "../e2e/harness/wait.ts";
import { printLoad } from "./harness/print.ts";
import { askTraces } from "./harness/trace-questions.ts";
import { SpanMaker, SPANS_A_REQUEST } from "./harness/span-maker.ts";
import { between, type ThreadTime, threadTimes } from "./harness/threads.ts";
import { residentMb } from "./memory.ts";
import { describe } from "./stats.ts";

/**
 * What a directory takes of traces, and what its link has to bear for it, with real processes on one machine:
 *   node bench/telemetry.ts [SPANS] [SECONDS]      default: 100000 600
 * Spans come as protobuf by two connections, in requests of 500, ten to a trace, with eight attributes each; up to
 * 200,000 of them are encoded before, and no more are sent than go in so many seconds. With 0 SPANS, only the link is
 * looked at, which takes a minute and a half: beside nothing; beside a sender whose spans a stand-in takes and forgets; beside one
 * whose stand-in works on them as long as the thread of traces does, which is what two cores make of that much work in
 * whatever process; and beside the directory's own taking of them.
 */
const total = Number(process.argv[2] ?? 100_000);
const secondsMax = Number(process.argv[3] ?? 600);
const ENCODED_MAX = 200_000;
/** What the link is measured beside: the default of `traces.rate`, and the goal. */
const RATES = [5_000, 10_000];
const BESIDE_SECONDS = 3;
/** Taken in turns, so that all have the same of what else goes on. */
const ROUNDS = 3;
/** What the thread of traces works on a request of 500 spans, about; the bench prints what it was. */
const STAND_IN_MS = 14;

const spans = new SpanMaker();
const nextRequest = (): Uint8Array => spans.request();
const stack = new Stack();
const helpers: ChildProcess[] = [];
try {
  const directory = await stack.startDirectory([], { traces: { rate: "1000000/s", size: "8GiB" } });
  const { directory: port } = await stack.ports();
  const base = `http://127.0.0.1:${port}`;
  await measureLink();
  if (total > 0) await measureTaking();
  printLoad();

  async function measureLink(): Promise<void> {
    const [empty, working] = [await startStandIn(0), await startStandIn(STAND_IN_MS)];
    const senders = new Map<number, Sender>();
    for (const rate of RATES) senders.set(rate, await startSender(rate));
    const goal = RATES.at(-1) as number;
    const cases: Case[] = [
      { title: "nothing beside it", send: null },
      { title: `${goal} spans/s beside it to a stand-in`, send: [goal, empty] },
      { title: `${goal} spans/s to a stand-in that works on them`, send: [goal, working] },
      ...RATES.map((rate): Case => ({ title: `${rate} spans/s beside it`, send: [rate, `${base}/v1/traces`] })),
    ];
    const link = await openLink(port);
    await link.roundTrips(1_000);
    // The first spans start the thread of traces, whose code is made quick by them.
    await senders.get(goal)?.sendTo(`${base}/v1/traces`);
    const times = cases.map((): number[] => []);
    const threads = cases.map(() => new Map<string, ThreadTime>());
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, { send }] of cases.entries()) {
        const before = threadTimes(directory.pid);
        const sending = send === null ? null : senders.get(send[0])?.sendTo(send[1]);
        times[i]?.push(...(await link.roundTrips(BESIDE_SECONDS * 1_000)));
        await sending;
        add(threads[i] as Map<string, ThreadTime>, between(directory.pid, before, threadTimes(directory.pid)));
      }
    }
    for (const [i, { title, send }] of cases.entries()) {
      const requests = (ROUNDS * BESIDE_SECONDS * (send?.[0] ?? 0)) / SPANS_A_REQUEST;
      print(describe(`round trip on the link, ${title}`, times[i] ?? [], "ms"));
      print(`  ${threadsLine(threads[i] as Map<string, ThreadTime>, requests)}`);
    }
  }

  async function measureTaking(): Promise<void> {
    const atOnce = Array.from({ length: Math.ceil(Math.min(total, ENCODED_MAX) / SPANS_A_REQUEST) }, nextRequest);
    const before = threadTimes(directory.pid);
    const startedMs = performance.now();
    const sent = SPANS_A_REQUEST * (await sendAll(atOnce, Math.ceil(total / SPANS_A_REQUEST)));
    const seconds = (performance.now() - startedMs) / 1_000;
    const spent = between(directory.pid, before, threadTimes(directory.pid));
    const main = (spent.get("main")?.ranMs ?? 0) / 1_000;
    const all = [...spent.values()].reduce((sum, { ranMs }) => sum + ranMs, 0) / 1_000;
    print(`as fast as they are taken: ${Math.round(sent / seconds)} spans/s on the disk`);
    print(
      `CPU: ${Math.round(sent / all)} spans a second and core, of which the main thread's share is ${Math.round((100 * main) / all)}%`,
    );
    await askTraces(base, directory.pid, print);
    const files = readdirSync(`${stack.folder}/directory/traces`).length;
    print(`${spans.made} spans in ${files} files; memory of the directory: ${residentMb(directory.pid)} MB`);
  }

  /** @returns how many requests were sent: those that are encoded, and as many more as wanted while there is time. */
  async function sendAll(bodies: readonly Uint8Array[], wanted: number): Promise<number> {
    const left = [...bodies];
    const endMs = performance.now() + secondsMax * 1_000;
    let count = 0;
    const next = (): Uint8Array | undefined =>
      left.pop() ?? (count < wanted && performance.now() < endMs ? nextRequest() : undefined);
    const sender = async (): Promise<void> => {
      for (let body = next(); body !== undefined; body = next()) {
        count += 1;
        await send(body);
      }
    };
    await Promise.all([sender(), sender()]);
    return count;
  }

  async function send(body: Uint8Array): Promise<void> {
    const headers = { "content-type": "application/x-protobuf" };
    const answer = await request(`${base}/v1/traces`, { method: "POST", headers, body });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
    await answer.body.dump();
  }
} finally {
  for (const helper of helpers) helper.kill("SIGKILL");
  await stack.dispose();
}

interface Case {
  readonly title: string;
  /** How many spans a second go where. */
  readonly send: readonly [number, string] | null;
}

interface Sender {
  /** Resolves once all are sent. */
  sendTo(url: string): Promise<void>;
}

async function startSender(rate: number): Promise<Sender> {
  const { child, line } = startHelper("span-sender.ts", [String(rate), String(BESIDE_SECONDS)]);
  await line();
  return {
    async sendTo(url) {
      child.stdin?.write(`${url}\n`);
      await line();
    },
  };
}

/** @returns where it listens. */
async function startStandIn(cpuMs: number): Promise<string> {
  return `http://127.0.0.1:${await startHelper("stand-in.ts", [String(cpuMs)]).line()}`;
}

/** Starts a program of the harness; `line` resolves with what it says next. */
function startHelper(file: string, args: readonly string[]) {
  const path = join(import.meta.dirname, "harness", file);
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  helpers.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async line(): Promise<string> {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`Cannot go on: ${file} ended`);
      return value;
    },
  };
}

/** A link on which a message that nobody knows is answered at once. */
async function openLink(port: number) {
  const link = await openRawLink(port, { kind: "dw", name: "bench", id: "identity-of-bench" });
  return {
    async roundTrips(forMs: number): Promise<number[]> {
      const times: number[] = [];
      for (const endMs = performance.now() + forMs; performance.now() < endMs; await sleep(5)) {
        const beganMs = performance.now();
        const answer = link.next(({ type }) => type === "error");
        link.send({ type: "is anybody there" });
        await answer;
        times.push(performance.now() - beganMs);
      }
      return times;
    },
  };
}

function add(sums: Map<string, ThreadTime>, more: ReadonlyMap<string, ThreadTime>): void {
  for (const [name, { ranMs, waitedMs }] of more) {
    const sum = sums.get(name);
    sums.set(name, { name, ranMs: (sum?.ranMs ?? 0) + ranMs, waitedMs: (sum?.waitedMs ?? 0) + waitedMs });
  }
}

/** What the threads of the directory had, those that had something to do. */
function threadsLine(threads: ReadonlyMap<string, ThreadTime>, requests: number): string {
  const shown = [...threads.values()]
    .filter(({ ranMs }) => ranMs >= 20)
    .toSorted((a, b) => b.ranMs - a.ranMs)
    .map(({ name, ranMs, waitedMs }) => {
      const each = requests === 0 ? "" : ` (${(ranMs / requests).toFixed(2)} ms a request)`;
      return `${name} ran ${Math.round(ranMs)} ms${each} and waited ${Math.round(waitedMs)} ms for a core`;
    });
  return `of the directory: ${shown.join("; ")}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
