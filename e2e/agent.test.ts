import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "./harness/child.ts";
import { startLoad } from "./harness/load.ts";
import { Stack } from "./harness/stack.ts";
import { eventually } from "./harness/wait.ts";

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
});
afterEach(() => stack.dispose());

const isReady = (line: string): boolean => line.includes('"Agent is ready"');

async function page(path: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${(await stack.ports()).watson}${path}`)).text();
}

test("Watson and Sherlock hand over to an agent, and one agent to the next, without losing a request", async () => {
  const folder = (part: string): string => join(stack.folder, "agent", part);
  await stack.startInstance({ service: "barker", name: "a" });
  const [watson, sherlock] = await Promise.all([
    stack.startWatson({ data_dir: folder("watson") }),
    stack.startSherlock(["--data-dir", folder("sherlock")]),
  ]);
  await stack.reaches("barker", ["a"]);
  const haproxies = await stack.settledHaproxy();
  const load = startLoad({ url: await stack.url("/barker/"), connections: 4, method: "GET", pauseMs: 6 });
  await leave(watson, "SIGUSR1");
  await leave(sherlock, "SIGUSR1");
  // By the signal of an upgrade, by the reload that a running one takes, and by a kill.
  for (const signal of ["SIGUSR1", "SIGKILL", "SIGUSR1"] as const) {
    const agent = await stack.startAgent();
    await agent.line(isReady);
    agent.kill("SIGHUP");
    await agent.line((line) => line.includes('"Settings reloaded"'));
    await eventually(async () => expect(await page("/readyz")).toBe("ready\n"));
    await leave(agent, signal);
  }
  const { ok, failures } = await load.stop();
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(100);
  expect(await stack.settledHaproxy()).toEqual(haproxies);
});

async function leave(child: Child, signal: "SIGUSR1" | "SIGKILL"): Promise<void> {
  child.kill(signal);
  await child.exited;
}

test("a part that fails is started again, says why, and takes the other with it neither then nor at the end", async () => {
  const { traffic } = await stack.ports();
  const other = createServer().listen(traffic, "127.0.0.1");
  await once(other, "listening");
  await stack.startInstance({ service: "barker", name: "a" });
  const agent = await stack.startAgent();
  await stack.lists("barker", { a: "live" });
  await eventually(async () => expect(await page("/readyz")).toMatch(/^sherlock: .*the port is in use/));
  await eventually(async () => {
    const { problems } = await stack.read<{ problems: { message: string }[] }>("/v1/status");
    const told = problems.find(({ message }) => message.includes("is started again"));
    expect(told?.message).toContain(String(traffic));
  });
  other.close();
  await once(other, "close");
  await agent.line(isReady);
  await stack.reaches("barker", ["a"]);
  const metrics = await page("/metrics");
  for (const name of ["datawire_watson_checks_total", "datawire_sherlock_reloads_total"])
    expect(metrics).toContain(name);
  const families = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(families).size).toBe(families.length);
  expect(await page("/haproxy")).toContain("HAProxy");
  agent.kill("SIGTERM");
  expect(await agent.exited).toEqual({ code: 0, signal: null });
  expect(stack.haproxyPids()).toEqual([]);
  await stack.lists("barker", {});
});

test("--check finds what is wrong with the settings of either part", async () => {
  const file = stack.writeSherlockSettings({ listne: "127.0.0.1:1" });
  const agent = stack.start("agent", ["--check", "--sherlock-config", file]);
  expect(await agent.exited).toMatchObject({ code: 78 });
  expect(agent.lines.join("\n")).toMatch(/sherlock\.yaml:\d+:\d+: .*listne/);
});
