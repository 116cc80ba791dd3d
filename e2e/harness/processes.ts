import { readdirSync, readFileSync } from "node:fs";

/** The processes of this machine, by their ids, whose command line or environment names a folder; never this one. */
function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => ["cmdline", "environ"].some((file) => read(`/proc/${pid}/${file}`).includes(folder)))
    .map(Number);
}

/** Those of them that are HAProxy, masters and workers. */
export function haproxiesOf(folder: string): number[] {
  return processesOf(folder).filter((pid) => read(`/proc/${pid}/comm`).trim() === "haproxy");
}

/** Kills all of them. */
export function killProcessesOf(folder: string): void {
  // More than once: a Sherlock that is still there starts a HAProxy in place of one that has just been killed.
  for (let pids = processesOf(folder); pids.length > 0; pids = processesOf(folder)) {
    killAll(pids);
  }
}

/** Kills processes, of which some may have ended with the one before. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
}

/** The id of the process that a process is a child of; null when it has ended. */
export function parentOf(pid: number): number | null {
  // The name, in parentheses, may hold anything.
  const [, parent] = /^.*\) \S (\d+) /s.exec(read(`/proc/${pid}/stat`)) ?? [];
  return parent === undefined ? null : Number(parent);
}

/** Empty for a process that has just ended, or is another user's. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
