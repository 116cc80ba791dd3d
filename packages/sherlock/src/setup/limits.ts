import { readFile } from "node:fs/promises";

const CONNECTIONS_MAX = 4_096;
/** When the system does not say. */
const FILES_MAX_UNKNOWN = 1_024;

/**
 * How many connections HAProxy may take: each needs two files, and one that asks for more than the limit on open files
 * allows does not start.
 */
export async function connectionsAllowed(wanted: number | null): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)?.[1];
  const files = hard === undefined ? FILES_MAX_UNKNOWN : hard === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(hard);
  const allowed = Math.max(10, Math.floor((files - 100) / 2));
  return Math.min(wanted ?? CONNECTIONS_MAX, allowed);
}
