import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Env, explainSystemError, systemClock, systemErrorCode } from "@datawire/runtime";

/** A process that outlives the command that started it. */
export interface Known {
  readonly pid: number;
  /** When it was started, as the kernel counts; null where no kernel tells. A number alone is given to others later. */
  readonly started: string | null;
}

const LOG_BYTES_MAX = 4_096;
const END_MS_MAX = 15_000;
const KILL_MS_MAX = 5_000;
const LOOK_MS = 50;

/** Starts `dw` again as a daemon, in a session of its own, with a file for what it says. */
export async function startInBackground(
  args: readonly string[],
  { log, env }: { readonly log: string; readonly env: Env },
): Promise<{ readonly child: ChildProcess; readonly known: Known }> {
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  const file = await open(log, "a", 0o600);
  try {
    const [node, main = ""] = process.argv;
    const child = spawn(node ?? process.execPath, [...process.execArgv, main, ...args], {
      cwd: "/",
      detached: true,
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("DATAWIRE_"))),
      stdio: ["ignore", file.fd, file.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    const pid = child.pid as number;
    return { child, known: { pid, started: await startOf(pid) } };
  } finally {
    await file.close();
  }
}

/** Whether a process still runs, and is the one that was started. */
export async function isRunning({ pid, started }: Known): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") return false;
  }
  return (await startOf(pid)) === started;
}

/** Ends a process, and waits until it is gone. */
export async function endProcess(known: Known): Promise<void> {
  const steps = [
    ["SIGTERM", END_MS_MAX],
    ["SIGKILL", KILL_MS_MAX],
  ] as const;
  for (const [signal, waitMs] of steps) {
    if (!(await isRunning(known))) return;
    send(signal, known);
    for (let waitedMs = 0; waitedMs < waitMs && (await isRunning(known)); waitedMs += LOOK_MS)
      await systemClock.sleep(LOOK_MS);
  }
  if (await isRunning(known)) throw new Error(`Cannot end process ${known.pid}: it is there after SIGKILL`);
}

function send(signal: NodeJS.Signals, { pid }: Known): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    // It may have ended since it was looked at, as it does when what started it has gone.
    if (systemErrorCode(cause) === "ESRCH") return;
    throw new Error(`Cannot end process ${pid}: ${explainSystemError(cause)}`, { cause });
  }
}

/** The end of a log, without what ran before; empty where there is none. */
export async function endOfLog(log: string): Promise<string> {
  const text = await readFile(log, "utf8").catch(() => "");
  return text.slice(-LOG_BYTES_MAX).trimEnd().split("\n").slice(-3).join("\n");
}

/** Field 22 of proc_pid_stat(5): ticks from the start of the machine. A process that has ended has a state and no more. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ") ?? [];
  return fields[0] === "Z" ? "ended" : (fields[19] ?? null);
}
