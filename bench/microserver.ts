/**
 * What a message costs the library, beside what it costs the router, and how long a question takes.
 *
 *     node bench/microserver.ts [messages] [bytes] [questions]
 *
 * A real router; a sender, a listener and whoever asks are processes of their own with `@datawire/microserver`. CPU is the
 * kernel's count. Every message is on disk before it is accepted; questions go one after the other.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "@datawire/microserver";
import { Children } from "./harness/children.ts";

const PORT = 25_673;
const TICKS_PER_SECOND = 100;
const WARM_UP = 30_000;

const [role] = process.argv.slice(2);
if (process.send === undefined) await measure();
else await work(role ?? "", Number(process.argv[3]), Number(process.argv[4]));

async function measure(): Promise<void> {
  const [messages = 200_000, bytes = 100, questions = 3_000] = process.argv.slice(2).map(Number);
  const folder = ownFolder("bench-microserver-");
  const children = new Children();
  try {
    await Promise.race([children.failed, measureIn(folder, children, { messages, bytes, questions })]);
  } finally {
    children.kill();
  }
}

interface Sizes {
  readonly messages: number;
  readonly bytes: number;
  readonly questions: number;
}

async function measureIn(folder: string, children: Children, { messages, bytes, questions }: Sizes): Promise<void> {
  const main = join(import.meta.dirname, "../packages/router/src/main.ts");
  const args = ["--data-dir", folder, "-p", String(PORT), "--admin", "off", "--web", "off", "--log-format", "json"];
  const router = children.add(
    "the router",
    spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] }),
  );
  for await (const line of router.stderr) if (String(line).includes("is ready")) break;
  const start = (name: string): ChildProcess =>
    children.add(name, fork(import.meta.filename, [name, String(messages + WARM_UP), String(bytes)]));
  const [sender, listener] = [start("send"), start("listen")];
  await Promise.all([sender, listener].map((child) => once(child, "message")));
  const both = async (count: number): Promise<readonly number[]> => {
    const all = [router, sender, listener];
    const before = await Promise.all(all.map(cpuSeconds));
    const startedMs = performance.now();
    const ended = Promise.all([sender, listener].map((child) => once(child, "message")));
    // The listener first: it counts what comes.
    for (const child of [listener, sender]) child.send(count);
    await ended;
    const ms = performance.now() - startedMs;
    const after = await Promise.all(all.map(cpuSeconds));
    return [count / (ms / 1_000), ...after.map((s, i) => ((s - (before[i] as number)) * 1e6) / count)];
  };
  await both(WARM_UP);
  const [rate = 0, ofRouter = 0, ofSender = 0, ofListener = 0] = await both(messages);
  const us = (value: number): string => `${value.toFixed(1)} µs`;
  console.log(`${messages} of ${bytes} bytes, one sender, one listener: ${Math.round(rate)}/s`);
  console.log(`CPU a message: router ${us(ofRouter)}, library sending ${us(ofSender)}, listening ${us(ofListener)}`);
  console.log(`library, both ends, ${((ofSender + ofListener) / ofRouter).toFixed(2)} × the router's`);
  await ask(questions);
}

/** Asks one question after the other, of a listener in this process. */
async function ask(count: number): Promise<void> {
  const url = `127.0.0.1:${PORT}`;
  const [asker, answerer] = [await connect({ url }), await connect({ url })];
  for (const address of ["direct/questions", "questions"]) {
    await answerer.listen(address, ({ body }) => body);
    const times: number[] = [];
    for (let i = 0; i < count + 500; i++) {
      const startedMs = performance.now();
      await asker.request(address, i);
      if (i >= 500) times.push(performance.now() - startedMs);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => `${(times[Math.floor(times.length * share)] ?? 0).toFixed(2)} ms`;
    console.log(`request and reply through the router, ${address}: p50 ${at(0.5)}, p99 ${at(0.99)}`);
  }
  await Promise.all([asker.close(), answerer.close()]);
}

/** The part of a child: does so many when it is told how many, and says so when it is done. */
async function work(name: string, max: number, bytes: number): Promise<void> {
  const microserver = await connect({ url: `127.0.0.1:${PORT}`, outbox: { messages: max } });
  const body = new Uint8Array(bytes);
  let left = Number.POSITIVE_INFINITY;
  const tell = (): void => void process.send?.({ done: true });
  const came = (): void => void (--left === 0 && tell());
  if (name === "listen") await microserver.listen("bench", came, { concurrency: 1_000 });
  process.on("message", (count: number) => {
    left = count;
    if (name === "listen") return;
    void Promise.all(Array.from({ length: count }, () => microserver.send("bench", body))).then(tell);
  });
  // Also where nobody is left to end it.
  process.once("disconnect", () => process.exit(1));
  process.send?.("ready");
}

async function cpuSeconds({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
