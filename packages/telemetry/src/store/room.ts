import { statfsSync } from "node:fs";
import { faultOf, TracesFault } from "./faults.ts";

/** What the files of a store have of their disk. */
export interface Room {
  /** What the disk has left, for everybody. */
  readonly free: number;
  readonly reserve: number;
  /** What all files may take. */
  readonly bytes: number;
}

/** So much of its disk, or a tenth of it, is left to others: the directory's own store may be on it. */
const RESERVE_BYTES = 256 * 1024 * 1024;
const RESERVE_SHARE = 0.1;
/**
 * What all files may take: as much as they are set to, and no more than the disk has for them.
 * @param taken what they take now.
 * @throws TracesFault
 */
export function lookForRoom(folder: string, sizeBytes: number, taken: number): Room {
  try {
    const { bsize, bavail, blocks } = statfsSync(folder);
    const free = bsize * bavail;
    const reserve = Math.min(RESERVE_BYTES, bsize * blocks * RESERVE_SHARE);
    return { free, reserve, bytes: Math.min(sizeBytes, taken + free - reserve) };
  } catch (error) {
    throw faultOf(error, folder);
  }
}

/** What is wrong where there is no room. */
export function fullFault(folder: string, { free, reserve }: Room): TracesFault {
  const why = `its disk has ${mebibytes(free)} left, of which ${mebibytes(reserve)} are left to others`;
  return new TracesFault("full", `Cannot use ${folder}: ${why}`);
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;
