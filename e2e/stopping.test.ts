import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Stack } from "./harness/stack.ts";
import { eventually, sleep } from "./harness/wait.ts";

let stack: Stack;
beforeEach(async () => {
  stack = new Stack();
  await stack.startDirectory();
  await stack.startInstance({ service: "emitter", name: "a" });
});
afterEach(() => stack.dispose());

test("a second Watson with one state folder ends, and names the process that has it", async () => {
  await stack.startWatson();
  const second = stack.start("watson", [
    "-d",
    await stack.directoryAddress(),
    "--services",
    stack.serviceFolder,
    "--data-dir",
    join(stack.folder, "watson"),
    "--admin",
    "off",
  ]);
  expect((await second.exited).code).toBe(1);
  expect(second.lines.at(-1)).toMatch(/^watson: Cannot use the folder .*: another Watson, with process id \d+, keeps/);
  await stack.lists("emitter", { a: "live" });
});

test("Sherlock takes a signal that comes twice at once for one, and ends its HAProxy in order", async () => {
  await stack.startWatson();
  const sherlock = await stack.startSherlock();
  await stack.reaches("emitter", ["a"]);
  sherlock.kill("SIGTERM");
  sherlock.kill("SIGTERM");
  expect((await sherlock.exited).code).toBe(0);
  expect(stack.haproxyPids()).toEqual([]);
});

test("Sherlock that is asked again while requests are open ends its HAProxy before it leaves", async () => {
  await stack.startWatson();
  const sherlock = await stack.startSherlock();
  await stack.reaches("emitter", ["a"]);
  const { hostname, port } = new URL(await stack.url("/emitter/"));
  const client = connect(Number(port), hostname).on("error", () => {});
  await once(client, "connect");
  client.write(`POST /emitter/ HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 9\r\n\r\n`);
  await sherlock.line((line) => line.includes("Sherlock is ready"));
  sherlock.kill("SIGTERM");
  await sherlock.line((line) => line.includes("Stopping"));
  await sleep(1_200); // what comes sooner counts as the same request
  expect(sherlock.running()).toBe(true);
  sherlock.kill("SIGTERM");
  expect((await sherlock.exited).code).toBe(1);
  await eventually(() => expect(stack.haproxyPids()).toEqual([]));
  client.destroy();
});
