import { readdirSync, readFileSync } from "node:fs";
import { encodeTraceRequest, spanOf, traceRequest } from "@datawire/telemetry/testing";
import { request } from "undici";
import { openRawLink } from "../e2e/harness/raw-link.ts";
import { Stack } from "../e2e/harness/stack.ts";
import { sleep } from "../e2e/harness/wait.ts";
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
const SPANS_A_REQUEST = 500;
const SPANS_A_TRACE = 10;
/** What the link is measured beside: the default of `traces.rate`, and the goal. */
const RATES = [5_000, 10_000];
const BESIDE_SECONDS = 4;

let made = 0;
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

  for (const [what, path] of [
    ["the newest 20", "/v1/traces?limit=20"],
    ["one trace", `/v1/traces/${traceIdOf(1_234)}`],
    ["one value among all", "/v1/traces?q=user.id%3D4242"],
    ["a word that all have", "/v1/traces?q=checkout&limit=20"],
    ["a word that none has", "/v1/traces?q=nothing"],
    ["errors of one service", "/v1/traces?service=service3&error=true&limit=20"],
    ["the slowest", "/v1/traces?min=999ms&limit=20"],
  ] as const) {
    const times: number[] = [];
    for (let i = 0; i < 10; i++) {
      const beganMs = performance.now();
      const answer = await request(`${base}${path}`);
      await answer.body.text();
      times.push(performance.now() - beganMs);
    }
    print(describe(what, times, "ms"));
  }
  const bytes = readdirSync(`${stack.folder}/directory/traces`).length;
  print(`${made} spans in ${bytes} files; memory of the directory: ${residentMb(directory.pid)} MB`);

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

function traceIdOf(number: number): string {
  return (number * 2_654_435_761).toString(16).padStart(32, "0");
}

function nextRequest(): Uint8Array {
  const service = `service${(made / SPANS_A_REQUEST) % 20}`;
  const spans = Array.from({ length: SPANS_A_REQUEST }, () => {
    const number = made;
    made += 1;
    const trace = Math.floor(number / SPANS_A_TRACE);
    const isRoot = number % SPANS_A_TRACE === 0;
    return spanOf({
      traceId: traceIdOf(trace + 1),
      spanId: (number + 1).toString(16).padStart(16, "0"),
      parentSpanId: isRoot ? "" : (trace * SPANS_A_TRACE + 1).toString(16).padStart(16, "0"),
      name: isRoot ? "GET /checkout" : `step ${number % SPANS_A_TRACE}`,
      startMs: Date.now() - 1_000 + (number % 1_000),
      durationMs: isRoot ? number % 1_000 : number % 50,
      failed: number % 97 === 0,
      attributes: {
        "http.request.method": "GET",
        "http.route": "/checkout",
        "http.response.status_code": number % 97 === 0 ? 500 : 200,
        "url.path": `/checkout/${number % 5_000}`,
        "server.address": `vm${number % 40}.example.com`,
        "network.protocol.version": "1.1",
        "user.id": trace,
        "thread.id": number % 16,
      },
    });
  });
  const resource = {
    "service.name": service,
    "service.version": "1.2.3",
    "service.instance.id": `${service}-vm1`,
    "host.name": "vm1.example.com",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "3.1.1",
  };
  return encodeTraceRequest(traceRequest(spans, resource));
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
