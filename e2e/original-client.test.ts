import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type Child, watchChild } from "./harness/child.ts";
import { findOriginalPython } from "./harness/original-python.ts";
import { freePorts } from "@datawire/runtime/testing";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

const python = await findOriginalPython();
const found = typeof python === "string" ? null : python;
const LOOP = join(import.meta.dirname, "fixtures/original_loop.py");
const FLASK = join(import.meta.dirname, "../examples/original-mdk/hello.py");

let stack: Stack;
let children: Child[] = [];
beforeEach(() => {
  stack = new Stack();
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map(({ exited }) => exited));
  children = [];
  await stack.dispose();
});

const serverUrl = async (): Promise<string> => `ws://127.0.0.1:${(await stack.ports()).directory}/rtp`;

/** Runs a program with the original client. */
async function startPython(file: string, ...args: readonly string[]): Promise<Child> {
  const { program = "", env = {} } = found ?? {};
  const own = { PATH: process.env["PATH"], ...env, MDK_SERVER_URL: await serverUrl(), DATAWIRE_TOKEN: "none" };
  const started = spawn(program, ["-u", file, ...args], { env: own, stdio: ["ignore", "pipe", "pipe"] });
  const child = watchChild(started, file);
  children.push(child);
  return child;
}

/** Where the last so many answers have led. */
const lastOf = ({ lines }: Child, count: number): string[] => [
  ...new Set(
    lines
      .filter((line) => line.startsWith("to "))
      .slice(-count)
      .map((line) => line.slice(3)),
  ),
];

/** What no original can take in, or takes for something else. */
async function sayOddities(): Promise<WebSocket> {
  const socket = new WebSocket(`${await serverUrl()}?token=x`);
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const node = { id: "odd", address: "http://127.0.0.1:9", properties: {} };
  for (const odd of [
    { ...node, service: "odd", version: null },
    { ...node, service: "emitter", version: "", address: "random_1" },
    { ...node, service: "My Service", version: null, id: null },
    { ...node, service: "My Service", version: null, id: "odd-2" },
    { ...node, service: "emitter", version: null, address: "http://127.0.0.1:8" },
  ])
    socket.send(JSON.stringify({ type: "active", node: odd, ttl: 300 }));
  return socket;
}

test.runIf(found !== null)(
  "a real client of the original MDK goes on beside what would freeze it, and forgets what ended while it was away",
  async () => {
    const directory = await stack.startDirectory();
    await stack.startWatson();
    const first = await stack.startInstance({ service: "emitter", name: "first", version: "1.1" });
    const second = await stack.startInstance({ service: "emitter", name: "second", version: "1.2" });
    await stack.lists("emitter", { first: "live", second: "live" });
    const odd = await sayOddities();
    const loop = await startPython(LOOP, "emitter", "1.1");
    await eventually(() => expect(lastOf(loop, 4).toSorted()).toEqual([first.url, second.url].toSorted()));
    directory.kill("SIGKILL");
    await directory.exited;
    first.child.kill("SIGKILL");
    await first.child.exited;
    await stack.startDirectory();
    await eventually(() => expect(lastOf(loop, 6)).toEqual([second.url]));
    const third = await stack.startInstance({ service: "emitter", name: "third", version: "1.3" });
    await eventually(() => expect(lastOf(loop, 4).toSorted()).toEqual([second.url, third.url].toSorted()));
    odd.terminate();
  },
);

test.runIf(found !== null)(
  "the Flask example serves through Sherlock, calls what a Watson has registered, and logs into the trace of a request",
  async () => {
    await stack.startDirectory();
    await Promise.all([stack.startWatson(), stack.startSherlock()]);
    await stack.startInstance({ service: "emitter", name: "first", version: "1.1" });
    const [port = 0] = await freePorts(1);
    await startPython(FLASK, String(port));
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(await stack.url(path), { headers })).text();
    await eventually(async () => expect(await ask("/hello/")).toBe("hello\n"));
    await eventually(async () => expect(await ask("/hello/via/emitter")).toContain("emitter says: "));
    const environment = { name: "sandbox", fallbackName: null };
    const context = { traceId: "trace-of-a-test", clock: { clocks: [4] }, properties: {}, environment };
    expect(await ask("/hello/", { "X-MDK-Context": JSON.stringify(context) })).toBe("hello\n");
    await eventually(async () => {
      const { events } = await stack.read<{ events: { text: string; clock: number[] }[] }>(
        "/v1/traces/trace-of-a-test",
      );
      const said = events.find(({ text }) => text.includes("asked for a greeting"));
      expect(said?.clock.slice(0, 1)).toEqual([5]);
    });
  },
);
