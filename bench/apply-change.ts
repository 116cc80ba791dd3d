import "./harness/no-remains.ts";
import { WebSocket } from "ws";
import type { Child } from "../e2e/harness/child.ts";
import { Stack } from "../e2e/harness/stack.ts";
import { eventually, sleep } from "../e2e/harness/wait.ts";
import { cpuUs } from "./cpu.ts";
import { residentMb } from "./memory.ts";
import { describe } from "./stats.ts";

/**
 * How long Sherlock takes to start with a table of so many services and instances of each, and to bring the change of
 * one instance into the running HAProxy, by its own metric "from a change in the directory to HAProxy"; and what of the
 * CPU it takes for one, beyond what it takes while nothing changes:
 *   node bench/apply-change.ts [CHANGES] [SERVICES] [INSTANCES]
 */
const changes = Number(process.argv[2] ?? 50);
const SERVICES = Number(process.argv[3] ?? 1_000);
const INSTANCES = Number(process.argv[4] ?? 5);
const IDLE_MS = 10_000;
const FILES_MS_MAX = 12_000;

const stack = new Stack();
try {
  await stack.startDirectory();
  const { port } = await stack.startInstance({ service: "unused", name: "all", addresses: INSTANCES });
  const watson = await register(Array.from({ length: SERVICES * INSTANCES }, (_, i) => instance(i, port, "live")));
  const begin = performance.now();
  const child = stack.startSherlock();
  const url = await stack.url(`/service${SERVICES - 1}/`);
  await eventually(async () => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  });
  print(
    `start with ${SERVICES} services of ${INSTANCES} instances until the last is served: ${Math.round(performance.now() - begin)} ms`,
  );
  const sherlock = await child;
  await sleep(5_000);
  print(`Sherlock has ${residentMb(sherlock.pid)} MB`);
  const idle = await cpuMsWhile(sherlock, () => sleep(IDLE_MS));
  print(`CPU while nothing changes: ${((100 * idle) / IDLE_MS).toFixed(1)}% of a core`);
  const reloads = await stack.metric("sherlock", "datawire_sherlock_reloads_total");
  const times: number[] = [];
  let seq = 1;
  /** One goes down, and the next round brings it back: a different one each time. */
  const change = (): void => {
    const i = seq++ - 1;
    const which = (Math.floor(i / 2) * 37) % (SERVICES * INSTANCES);
    const instances = [instance(which, port, i % 2 === 0 ? "down" : "live")];
    watson.send(JSON.stringify({ type: "update", seq, instances }));
  };
  for (let i = 0; i < changes; i++) {
    const before = await followed();
    change();
    const after = await eventually(async () => {
      const now = await followed();
      if (now.count === before.count) throw new Error("the change was not followed");
      return now;
    });
    times.push(((after.sum - before.sum) / (after.count - before.count)) * 1_000);
    await sleep(100);
  }
  print(describe("one instance changes in the directory → HAProxy has it", times, "ms"));
  for (const gapMs of [1_500, 100]) {
    const count = Math.round(IDLE_MS / gapMs);
    const sent = performance.now();
    const cpu = await cpuMsWhile(sherlock, async () => {
      for (let i = 0; i < count; i++) {
        change();
        await sleep(gapMs);
      }
      // Until what is written after the last one is written.
      await sleep(FILES_MS_MAX);
    });
    const own = cpu - (idle * (performance.now() - sent)) / IDLE_MS;
    print(`CPU for a change, one each ${gapMs} ms: ${(own / count).toFixed(1)} ms (n=${count})`);
  }
  print(`Sherlock has ${residentMb(sherlock.pid)} MB`);
  print(`reloads meanwhile: ${(await stack.metric("sherlock", "datawire_sherlock_reloads_total")) - reloads}`);
  watson.terminate();
} finally {
  await stack.dispose();
}

async function cpuMsWhile(child: Child, work: () => Promise<unknown>): Promise<number> {
  const before = cpuUs([child.pid]);
  await work();
  return (cpuUs([child.pid]) - before) / 1_000;
}

async function followed(): Promise<{ count: number; sum: number }> {
  const of = (part: string): Promise<number> => stack.sample("sherlock", `datawire_sherlock_follow_seconds_${part}`);
  return { count: await of("count"), sum: await of("sum") };
}

function instance(index: number, port: number, state: "live" | "down") {
  const service = `service${index % SERVICES}`;
  const which = Math.floor(index / SERVICES);
  return { service, name: `vm${which}`, version: "1", url: `http://127.0.0.${which + 1}:${port}`, state };
}

/** Registers a whole set as a Watson would, and keeps the link. */
async function register(instances: readonly object[]): Promise<WebSocket> {
  const { directory } = await stack.ports();
  const socket = new WebSocket(`ws://127.0.0.1:${directory}/v1/link`, { perMessageDeflate: false });
  const registered = Promise.withResolvers<void>();
  socket.on("error", registered.reject);
  socket.on("open", () =>
    socket.send(
      JSON.stringify({
        type: "hello",
        link: { min: 1, max: 1 },
        kind: "watson",
        name: "bench",
        id: "bench-watson",
        version: "0",
      }),
    ),
  );
  socket.on("message", (data: Buffer) => {
    const { type } = JSON.parse(data.toString()) as { type: string };
    if (type === "welcome") socket.send(JSON.stringify({ type: "register", seq: 1, instances }));
    if (type === "registered") registered.resolve();
    if (type === "error") registered.reject(new Error(data.toString()));
  });
  await registered.promise;
  return socket;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
