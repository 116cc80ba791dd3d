import "./harness/no-remains.ts";
import { WebSocket } from "ws";
import { startLoad } from "../e2e/harness/load.ts";
import { instanceAt, Stack } from "../e2e/harness/stack.ts";
import { sleep } from "../e2e/harness/wait.ts";
import { describe } from "./stats.ts";

/**
 * How long what is new takes to its first request, with real processes and 4 connections of steady load:
 *   node bench/new-groups.ts [ROUNDS]
 * 1. from the message by which a Watson registers the first instance of a new service;
 * 2. from the answer of the directory to a route by which a new target gets all requests of a service.
 * Both stand in a spare backend of HAProxy where it has one: how many reloads there were meanwhile is printed.
 */
const rounds = Number(process.argv[2] ?? 30);
/** Between two rounds: more than a new service takes with a reload. */
const PAUSE_MS = 400;

const stack = new Stack();
try {
  await stack.startDirectory();
  await Promise.all([stack.startWatson(), stack.startSherlock()]);
  const one = await stack.startInstance({ service: "steady", name: "one" });
  const two = await stack.startInstance({ service: "steady", name: "two" });
  await stack.reaches("steady", ["one", "two"]);
  const { directory } = await stack.ports();
  const urls = [one.url, two.url];
  const watson = await openWatson(directory);
  const load = startLoad({ url: await stack.url("/steady/"), connections: 4, pauseMs: 1 });
  const reloads = (): Promise<number> => stack.metric("sherlock", "datawire_sherlock_reloads_total");

  let before = await reloads();
  const services: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const url = await stack.url(`/new${i}/`);
    const sent = performance.now();
    watson.tell(`new${i}`, urls);
    while (!["one", "two"].includes(await instanceAt(url)));
    services.push(performance.now() - sent);
    await sleep(PAUSE_MS);
  }
  print(describe("a Watson registers a new service → its first request", services, "ms"));
  print(`reloads of HAProxy meanwhile: ${(await reloads()) - before}`);

  before = await reloads();
  const targets: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const url = await stack.url(`/new${i}/`);
    const body = JSON.stringify({ source: "//monolith", target: `//new${i}@two`, percent: "100%" });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`http://127.0.0.1:${directory}/v1/routes`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`the route was answered with ${answer.status}: ${await answer.text()}`);
    const acknowledged = performance.now();
    let last = acknowledged;
    for (let inARow = 0; inARow < 10;) {
      const isNew = (await instanceAt(url)) === "two";
      inARow = isNew ? inARow + 1 : 0;
      if (!isNew) last = performance.now();
    }
    targets.push(last - acknowledged);
    await sleep(PAUSE_MS);
  }
  print(describe("the directory has a route to a new target → the last request that goes the old way", targets, "ms"));
  print(`reloads of HAProxy meanwhile: ${(await reloads()) - before}`);
  const { requests, failures } = await load.stop();
  print(`under a load of ${requests} requests, of which ${failures.length} failed`);
  watson.close();
} finally {
  await stack.dispose();
}

/** A link to the directory as a Watson has it. */
async function openWatson(
  port: number,
): Promise<{ tell(service: string, urls: readonly string[]): void; close(): void }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/link`, { perMessageDeflate: false });
  const registered = Promise.withResolvers<void>();
  const hello = { link: { min: 1, max: 1 }, kind: "watson", name: "bench", id: "bench-watson", version: "0" };
  socket.on("error", registered.reject);
  socket.on("open", () => socket.send(JSON.stringify({ type: "hello", ...hello })));
  socket.on("message", (data: Buffer) => {
    const { type } = JSON.parse(data.toString()) as { type: string };
    if (type === "welcome") socket.send(JSON.stringify({ type: "register", seq: 1, instances: [] }));
    if (type === "registered") registered.resolve();
    if (type === "error") registered.reject(new Error(data.toString()));
  });
  await registered.promise;
  let seq = 1;
  return {
    tell(service, urls) {
      const instances = urls.map((url, i) => ({ service, name: ["one", "two"][i], version: "1", url, state: "live" }));
      socket.send(JSON.stringify({ type: "update", seq: ++seq, instances }));
    },
    close: () => socket.terminate(),
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
