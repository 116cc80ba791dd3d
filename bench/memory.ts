import { readFileSync } from "node:fs";

/** What a process has in memory, in whole megabytes. */
export function residentMb(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1_024);
}

/** What a process has in memory, its part of what others share with it, in megabytes. */
export function pssMb(pid: number): number {
  const [, kib = "0"] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
  return Number(kib) / 1_024;
}
