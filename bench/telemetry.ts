import { readdirSync, readFileSync } from "node:fs";
import { request } from "undici";
import { openRawLink } from "../e2e/harness/raw-link.ts";
import { Stack } from "../e2e/harness/stack.ts";
import { sleep } from "../e2e/harness/wait.ts";
import { askTraces } from "./harness/trace-questions.ts";
import { SpanMaker, SPANS_A_REQUEST } from "./harness/span-maker.ts";
import { describe } from "./stats.ts";
import { residentMb } from "./memory.ts";

/**
 * What a directory takes of traces, and what its link has to bear for it, with real processes on one machine:
 *   node bench/telemetry.ts [SPANS] [SECONDS]
 * Spans come as protobuf by two connections, in requests of 500, ten to a trace, with eight attributes each; up to
 * 200,000 of them are encoded before, and no more are sent than go in so many seconds (default: 600).
 */
const total = Number(process.argv[2] ?? 100_000);
const secondsMax = Number(process.argv[3] ?? 600);
const ENCODED_MAX = 200_000;
/** What the link is measured beside: the default of `traces.rate`, and the goal. */
const RATES = [5_000, 10_000];
const BESIDE_SECONDS = 4;

const spans = new SpanMaker();
const nextRequest = (): Uint8Array => spans.request();
const stack = new Stack();
try {
  const directory = await stack.startDirectory([], { traces: { rate: "1000000/s", size: "8GiB" } });
  const { directory: port } = await stack.ports();
  const base = `http://127.0.0.1:${port}`;
  const atOnce = Array.from({ length: Math.ceil(Math.min(total, ENCODED_MAX) / SPANS_A_REQUEST) }, nextRequest);
  const paced = RATES.map((rate) =>
    Array.from({ length: Math.ceil((rate * BESIDE_SECONDS) / SPANS_A_REQUEST) }, nextRequest),
  );
  // Whoever encodes does not answer, and is cut off.
  const link = await openLink(port);
  await link.roundTrips(1_000);
  print(describe("round trip on the link, nothing beside it", await link.roundTrips(3_000), "ms"));
  for (const [i, rate] of RATES.entries()) {
    const measuring = link.roundTrips(BESIDE_SECONDS * 1_000);
    const sending = sendPaced(paced[i] ?? [], rate);
    print(describe(`round trip on the link, ${rate} spans/s beside it`, await measuring, "ms"));
    await sending;
  }

  const before = threads(directory.pid);
  const startedMs = performance.now();
  const sent = SPANS_A_REQUEST * (await sendAll(atOnce, Math.ceil(total / SPANS_A_REQUEST)));
  const seconds = (performance.now() - startedMs) / 1_000;
  const after = threads(directory.pid);
  const main = ((after.get(directory.pid) ?? 0) - (before.get(directory.pid) ?? 0)) / 1e6;
  const sum = (all: ReadonlyMap<number, number>): number => [...all.values()].reduce((a, b) => a + b, 0) / 1e6;
  const all = sum(after) - sum(before);
  print(`as fast as they are taken: ${Math.round(sent / seconds)} spans/s on the disk`);
  print(
    `CPU: ${Math.round(sent / all)} spans a second and core, of which the main thread's share is ${share(main / all)}`,
  );

  await askTraces(base, directory.pid, print);
  const bytes = readdirSync(`${stack.folder}/directory/traces`).length;
  print(`${spans.made} spans in ${bytes} files; memory of the directory: ${residentMb(directory.pid)} MB`);

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

  async function sendPaced(bodies: readonly Uint8Array[], rate: number): Promise<void> {
    const beganMs = performance.now();
    const sending: Promise<void>[] = [];
    for (const [i, body] of bodies.entries()) {
      const dueMs = beganMs + (i * SPANS_A_REQUEST * 1_000) / rate;
      await sleep(Math.max(0, dueMs - performance.now()));
      sending.push(send(body));
    }
    await Promise.all(sending);
  }

  async function send(body: Uint8Array): Promise<void> {
    const headers = { "content-type": "application/x-protobuf" };
    const answer = await request(`${base}/v1/traces`, { method: "POST", headers, body });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
    await answer.body.dump();
  }
} finally {
  await stack.dispose();
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

/** CPU time of each thread of a process so far, in microseconds. */
function threads(pid: number): Map<number, number> {
  const tick = 10_000; // of USER_HZ, a hundredth of a second
  return new Map(
    readdirSync(`/proc/${pid}/task`).map((task) => {
      const fields = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return [Number(task), (Number(fields[11]) + Number(fields[12])) * tick];
    }),
  );
}

function share(part: number): string {
  return `${Math.round(part * 100)}%`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
