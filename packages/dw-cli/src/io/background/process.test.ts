import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { endProcess, isRunning, type Known } from "./process.ts";

/** A process of ours, that ends with the test. */
async function start(): Promise<{ readonly known: Known; end(): Promise<void> }> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  await once(child, "spawn");
  const ended = once(child, "exit");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(end);
  const pid = child.pid as number;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return { known: { pid, started: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null }, end };
}

/** What happens between the look at a process and the signal to it. */
function beforeSignals(happens: () => Error): void {
  const kill = process.kill.bind(process);
  const spy = vi.spyOn(process, "kill").mockImplementation((pid, signal) => {
    if (signal === 0) return kill(pid, signal);
    throw happens();
  });
  onTestFinished(() => spy.mockRestore());
}

const systemError = (code: string): Error => Object.assign(new Error(`kill ${code}`), { code, syscall: "kill" });

test("endProcess() ends a process", async () => {
  const { known } = await start();
  await endProcess(known);
  expect(await isRunning(known)).toBe(false);
  await endProcess(known);
});

test("endProcess() takes a process that ends by itself meanwhile for ended", async () => {
  const { known, end } = await start();
  beforeSignals(() => {
    void end();
    return systemError("ESRCH");
  });
  await endProcess(known);
  expect(await isRunning(known)).toBe(false);
});

test("endProcess() says which process it may not end", async () => {
  const { known } = await start();
  beforeSignals(() => systemError("EPERM"));
  await expect(endProcess(known)).rejects.toThrow(`Cannot end process ${known.pid}: `);
});
