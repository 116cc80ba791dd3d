/**
 * What a client notices while others send the router frames that nobody would send, on connections of their own:
 *
 *     node bench/router-fuzz.ts [frames] [sequences]        20000 and 2000; what is promised is for 1000000 and 100000
 *
 * A sender of 1,000 messages of 100 bytes a second and its receiver go on before, meanwhile and after; times run from when a
 * message was due until it was accepted. Each input has at least one mutated frame, and a connection of its own.
 */
import { ownFolder } from "./harness/no-remains.ts";
import { fork } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { printLoad } from "./harness/print.ts";
import { residentMb } from "./memory.ts";
import { Clients } from "./router-peers/load.ts";
import { startRouter } from "./router-peers/ours.ts";
import { type Pass, pass, queueOf } from "./router-peers/rate.ts";
import { median } from "./stats.ts";

const frames = Number(process.argv[2] ?? 20_000);
const sequences = Number(process.argv[3] ?? 2_000);
/** A pass takes so long, and there are as many before and after. */
const SECONDS = 2;
const PASSES = 5;
const USE = { messages: 1_000 * SECONDS, bytes: 100, rate: 1_000 };

const folder = ownFolder("bench-router-fuzz-");
const clients = await Clients.build(folder);
const router = await startRouter(join(folder, "router"), null);
try {
  const way = queueOf(router);
  const good = (): Promise<Pass> => pass(clients, way, USE);
  await good();
  tell("before", await several());
  const fuzzer = fork(
    join(import.meta.dirname, "router-peers/fuzzer.ts"),
    [router.port, frames, sequences, 1].map(String),
  );
  setPriority(fuzzer.pid as number, constants.priority.PRIORITY_LOW);
  const ended = once(fuzzer, "exit");
  const meanwhile: Pass[] = [];
  while (fuzzer.exitCode === null && fuzzer.signalCode === null) meanwhile.push(await good());
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error("the one who sends mutated frames has ended before all were sent");
  tell(`during ${frames} mutated frames and ${sequences} sequences`, meanwhile);
  tell("after", await several());
  printLoad();

  async function several(): Promise<Pass[]> {
    const passes: Pass[] = [];
    for (let i = 0; i < PASSES; i++) passes.push(await good());
    return passes;
  }
} finally {
  clients.end();
  await router.stop();
}

function tell(when: string, passes: readonly Pass[]): void {
  const of = (value: (one: Pass) => number): string => `${(median(passes.map(value)) / 1_000).toFixed(2)} ms`;
  const memory = residentMb(router.pids()[0] as number);
  const times = `accepted in ${of((one) => one.p50Us)} (median), ${of((one) => one.p99Us)} (99%)`;
  console.log(`${when}: ${times}, of ${passes.length} passes; the router has ${memory} MB`);
}
