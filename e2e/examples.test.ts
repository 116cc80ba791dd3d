import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";

/** Starts an example that has so many seconds to leave, and waits until it serves. */
async function start(leave: number): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const emitter = join(import.meta.dirname, "../examples/emitter.ts");
  const child = spawn(process.execPath, [emitter, "--leave", `${leave}`], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, url };
}

test("an example that is told to stop fails its check and serves on", async () => {
  const { child, url } = await start(600);
  const status = async (path: string) => (await fetch(`${url}${path}`, { headers: { connection: "close" } })).status;
  expect([await status("/liveness_check"), await status("/")]).toEqual([200, 200]);
  child.kill("SIGTERM");
  await expect.poll(() => status("/liveness_check"), { interval: 10 }).toBe(503);
  expect(await status("/")).toBe(200);
});

test("an example that is told to stop ends when its time to leave is over", async () => {
  const { child } = await start(0.1);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
