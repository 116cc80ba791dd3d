import { createInterface } from "node:readline";
import { request } from "undici";
import { sleep } from "../../e2e/harness/wait.ts";
import { SpanMaker, SPANS_A_REQUEST } from "./span-maker.ts";

/**
 * Sends spans in a process of its own, at an even pace, so that whoever measures beside it is not held up by its writing:
 *   node bench/harness/span-sender.ts RATE SECONDS
 * All of them are encoded before it says `ready`. For each URL on its standard input it sends them there, and says `sent`
 * once the next ones are encoded: no trace comes twice.
 */
const [rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
/** Each sender has traces of its own. */
const spans = new SpanMaker(rate * 1_000);
/** Whoever measures beside it has ended by then. */
const PAUSE_MS = 200;

let bodies = encoded();
process.stdout.write("ready\n");
for await (const url of createInterface({ input: process.stdin })) {
  await sendPaced(url);
  await sleep(PAUSE_MS);
  bodies = encoded();
  process.stdout.write("sent\n");
}

function encoded(): Uint8Array[] {
  return Array.from({ length: Math.ceil((rate * seconds) / SPANS_A_REQUEST) }, () => spans.request());
}

async function sendPaced(url: string): Promise<void> {
  const beganMs = performance.now();
  const sending: Promise<void>[] = [];
  for (const [i, body] of bodies.entries()) {
    const dueMs = beganMs + (i * SPANS_A_REQUEST * 1_000) / rate;
    await sleep(Math.max(0, dueMs - performance.now()));
    sending.push(send(url, body));
  }
  await Promise.all(sending);
}

async function send(url: string, body: Uint8Array): Promise<void> {
  const headers = { "content-type": "application/x-protobuf" };
  const answer = await request(url, { method: "POST", headers, body });
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${await answer.body.text()}`);
  await answer.body.dump();
}
