import { readFileSync } from "node:fs";

/** How a process has ended, in words. */
export function describeExit(code: number | null, signalName: NodeJS.Signals | null): string {
  return signalName === null ? `exit code ${code}` : signalName;
}

/** Sends a signal to a process, which may have ended meanwhile. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Whether a process runs; one that has ended and waits for its parent does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.charAt(text.lastIndexOf(")") + 2) !== "Z";
  } catch {
    return true; // no /proc here: what signals reach is taken to run
  }
}
