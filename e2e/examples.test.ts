import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";

test("an example that is told to stop fails its check, serves on, and ends when its time to leave is over", async () => {
  const emitter = join(import.meta.dirname, "../examples/emitter.ts");
  const child = spawn(process.execPath, [emitter, "--leave", "0.5"], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  const status = async (path: string) => (await fetch(`${url}${path}`, { headers: { connection: "close" } })).status;
  expect([await status("/liveness_check"), await status("/")]).toEqual([200, 200]);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await expect.poll(() => status("/liveness_check"), { interval: 10 }).toBe(503);
  expect(await status("/")).toBe(200);
  expect(await ended).toEqual([0, null]);
});
