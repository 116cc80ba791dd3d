import { type ChildProcess, execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** `Name: value` of a header that every request has. */
  readonly header?: string;
}

/** CPU time in microseconds that each of some groups of processes spends on a request, at full load (wrk). */
export async function cpuPerRequest(
  groups: readonly (() => readonly number[])[],
  { url, connections, seconds, header }: Load,
): Promise<number[]> {
  const before = groups.map((pids) => cpuUs(pids()));
  const headers = header === undefined ? [] : ["-H", header];
  const { stdout } = await promisify(execFile)("wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, ...headers, url]);
  const after = groups.map((pids) => cpuUs(pids()));
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: connect (\d+)/.exec(stdout);
  if (!(requests > 0) || failed !== null) throw new Error(`Cannot use this run: ${stdout}`);
  return after.map((us, i) => (us - (before[i] as number)) / requests);
}

/** Processes and their children, each once; without those that have ended. */
export function tree(...pids: readonly number[]): number[] {
  const found = pids.flatMap((pid) => {
    const children = childrenOf(pid);
    return children === null ? [] : [pid, ...tree(...children)];
  });
  return [...new Set(found)];
}

function childrenOf(pid: number): number[] | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
    return children.map(Number).filter((child) => child > 0);
  } catch {
    return null;
  }
}

/** User and system time of processes, in microseconds. */
export function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }, 0);
}

/** The id of a process that was started. */
export const pidOf = ({ pid }: ChildProcess): number => pid as number;

/** User and system time of a process, in seconds. */
export const cpuSeconds = (child: ChildProcess): number => cpuUs([pidOf(child)]) / 1e6;
