import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { Chance, failure, mutateJson, seeds } from "@datawire/protocol/testing/fuzz";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { Child } from "./harness/child.ts";
import { changesDuring, connectGoodClients, type GoodClients } from "./harness/fuzz/good-clients.ts";
import { mutateRequest, sendRequest } from "./harness/fuzz/requests.ts";
import {
  ADMIN_REQUESTS,
  CLIENT_MESSAGES,
  DIRECTORY_MESSAGES,
  DIRECTORY_REQUESTS,
  helloOf,
  type RequestSample,
  TRAFFIC_REQUESTS,
  WELCOME,
} from "./harness/fuzz/samples.ts";
import { openRawLink } from "./harness/raw-link.ts";
import { instanceAt, Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

/**
 * Whole programs, sent what nobody would send. Each has to live, to keep its memory, and to serve everybody else: a change
 * of a good client takes no more than five times as long as the slowest at a directory that nobody disturbs, in the same
 * second. What a program fails at stands in its log as an error, and fails the test with the seeds of what it was sent.
 */
const TIMES_MAX = 5;
const MEMORY_MB_MAX = 200;
/** So many are on their way at once, and are named together when something goes wrong. */
const BATCH = 20;

const stack = new Stack();
const quiet = new Stack();
let ports: Awaited<ReturnType<Stack["ports"]>>;
let programs: Record<"directory" | "watson" | "sherlock", Child>;
let haproxy: readonly number[];
let here: GoodClients;
let beside: GoodClients;

beforeAll(async () => {
  ports = await stack.ports();
  const directory = await stack.startDirectory([], { lease: "6s" });
  await quiet.startDirectory([], { lease: "6s" });
  await stack.startInstance({ service: "good", name: "one" });
  programs = { directory, watson: await stack.startWatson(), sherlock: await stack.startSherlock() };
  await stack.reaches("good", ["one"]);
  haproxy = await stack.settledHaproxy();
  here = await connectGoodClients(ports.directory);
  beside = await connectGoodClients((await quiet.ports()).directory);
});
afterAll(() => Promise.all([stack.dispose(), quiet.dispose()]));

const memoryMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

/** What programs log when they fail at what one client wanted. */
const FAILED =
  /"level":"error".*"(?:Link failed|Request failed|Admin request failed|Connection failed|Client not served|News of|End of a link|Unexpected error)/;

/** What was told of already. */
const told = new Set<string>();

/** Throws where a program has ended, or failed at something. */
function requireWell(children: Readonly<Record<string, Child>>): void {
  for (const [name, child] of Object.entries(children)) {
    const failed = child.lines.find((line) => FAILED.test(line) && !told.has(line));
    told.add(failed ?? "");
    if (failed !== undefined) throw new Error(`${name} failed: ${failed}`);
    if (!child.running()) throw new Error(`${name} has ended: ${child.lines.slice(-5).join("\n")}`);
  }
}

interface Input {
  readonly seed: number;
  readonly text: unknown;
}

/** Sends all inputs, some at a time, and looks after each time whether all is well. */
async function sendAll(
  inputs: Iterable<Input>,
  send: (text: never) => Promise<void>,
  children: Readonly<Record<string, Child>> = programs,
): Promise<void> {
  let batch: Input[] = [];
  const flush = async (): Promise<void> => {
    try {
      await Promise.all(batch.map(({ text }) => send(text as never)));
      requireWell(children);
    } catch (error) {
      throw failure(batch[0]?.seed ?? 0, batch, error);
    }
    batch = [];
  };
  for (const input of inputs) {
    batch.push(input);
    if (batch.length >= BATCH) await flush();
  }
  await flush();
  await sleep(100); // what a program does with the last of them
  requireWell(children);
}

function* inputs(
  runs: { readonly test: number; readonly soak: number },
  make: (chance: Chance) => unknown,
): Generator<Input> {
  for (const seed of seeds(runs)) yield { seed, text: make(new Chance(seed)) };
}

/** Everybody else is served as ever while `work` goes on and after it, and nothing has grown. */
async function expectUnharmed(work: () => Promise<void>): Promise<void> {
  const pids = [...Object.values(programs).map(({ pid }) => pid), ...haproxy];
  const before = pids.map(memoryMb);
  const took = await changesDuring(work(), { here, beside });
  const middle = took.here.toSorted((a, b) => a - b)[Math.floor(took.here.length / 2)];
  expect(middle).toBeLessThan(Math.max(...took.beside) * TIMES_MAX);
  expect(here.connected()).toBe(true);
  const grown = pids.map((pid, i) => memoryMb(pid) - (before[i] ?? 0));
  expect(Math.max(...grown)).toBeLessThan(MEMORY_MB_MAX);
  expect(await stack.settledHaproxy()).toEqual(haproxy);
  expect(await instanceAt(await stack.url("/good/"))).toBe("one");
  const { problems } = await stack.read<{ problems: { subject: string; message: string }[] }>("/v1/status");
  expect(problems.filter(({ message }) => message.includes("the directory failed"))).toEqual([]);
}

interface Talk {
  readonly kind: string;
  readonly id: string;
  readonly frames: readonly string[];
}

function talk(chance: Chance): Talk {
  const kind = chance.pick(["watson", "sherlock", "library", "dw"]);
  const id = `fuzz-identity-${chance.int(1e9)}`;
  const hello = chance.once(4) ? mutateJson(helloOf(kind, id), chance) : JSON.stringify(helloOf(kind, id));
  const frames = Array.from({ length: 5 }, () => mutateJson(chance.pick(CLIENT_MESSAGES), chance));
  return { kind, id, frames: [hello, ...frames] };
}

test("a directory takes whatever comes over its link", async () => {
  const send = async ({ frames }: Talk): Promise<void> => {
    const { socket, closed } = await openRawLink(ports.directory, null);
    for (const frame of frames) socket.send(frame);
    // A ping is answered after what was sent before it, unless that has ended the link.
    await Promise.race([closed, new Promise((resolve) => socket.once("pong", resolve).ping())]);
    socket.terminate();
  };
  await expectUnharmed(() => sendAll(inputs({ test: 300, soak: 40_000 }, talk), send));
});

const requests =
  (samples: readonly RequestSample[]) =>
  (chance: Chance): string =>
    mutateRequest(chance.pick(samples), chance);

test.each([
  ["a directory", "directory", DIRECTORY_REQUESTS, { test: 400, soak: 60_000 }],
  ["Watson's admin port", "watson", ADMIN_REQUESTS, { test: 100, soak: 20_000 }],
  ["Sherlock's admin port", "admin", ADMIN_REQUESTS, { test: 100, soak: 20_000 }],
  ["the proxy", "traffic", TRAFFIC_REQUESTS, { test: 300, soak: 60_000 }],
] as const)("%s takes whatever request comes", async (_, port, samples, runs) => {
  const send = (text: string): Promise<void> => sendRequest(ports[port], text);
  await expectUnharmed(() => sendAll(inputs(runs, requests(samples)), send));
});

test("a Watson and a Sherlock take whatever a directory says, and follow a good one after it", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const clients = new Stack();
  try {
    let frames: readonly string[] = [JSON.stringify(WELCOME)];
    server.on("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("message", () => frames.forEach((frame) => socket.send(frame)));
    });
    const own = await clients.ports();
    const address = `//127.0.0.1:${port}/directory`;
    const run = clients.folder;
    const children = {
      watson: clients.start("watson", ["-d", address, "//fuzzed", "http://127.0.0.1:9", "1", "--log-format", "json"]),
      sherlock: clients.start("sherlock", [
        "-d",
        address,
        "--name",
        "m",
        "--run-dir",
        `${run}/run`,
        "--log-format",
        "json",
        "--listen",
        `127.0.0.1:${own.traffic}`,
        "--admin",
        "off",
      ]),
    };
    await eventually(() => expect(server.clients.size).toBe(2));
    const make = (chance: Chance): string[] =>
      Array.from({ length: 4 }, () => mutateJson(chance.pick(DIRECTORY_MESSAGES), chance));
    // What a client cannot use makes it open its link again, with a wait: what comes meanwhile is for the others.
    const send = async (texts: readonly string[]): Promise<void> => {
      frames = [JSON.stringify(WELCOME), ...texts];
      for (const socket of server.clients) for (const text of texts) socket.send(text, () => {});
      await sleep(5);
    };
    await sendAll(inputs({ test: 200, soak: 20_000 }, make), send, children);
    const directory = await stack.read<Record<string, unknown>>("/v1/table");
    const good = { type: "snapshot", part: 0, last: true, warming: false, ...directory, epoch: "good", revision: 9 };
    frames = [JSON.stringify(WELCOME), JSON.stringify(good)];
    for (const socket of server.clients) socket.terminate();
    await eventually(async () => expect(await instanceAt(`http://127.0.0.1:${own.traffic}/good/`)).toBe("one"));
    requireWell(children);
  } finally {
    await clients.dispose();
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});
