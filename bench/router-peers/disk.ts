import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { quantile } from "../stats.ts";

const WRITE_BYTES = 4_096;
const ROOM_BYTES = 16 * 2 ** 20;

/** What the disk of a folder itself takes for a write that is safe: a loop of pwrite and fdatasync in a file that has its room. */
export function syncsUs(folder: string, forMs: number): { readonly p50Us: number; readonly p99Us: number } {
  const file = openSync(join(folder, "syncs"), "w");
  try {
    writeSync(file, Buffer.alloc(ROOM_BYTES), 0, ROOM_BYTES, 0);
    fdatasyncSync(file);
    const bytes = Buffer.alloc(WRITE_BYTES, 1);
    const took: number[] = [];
    const endMs = performance.now() + forMs;
    for (let nowMs = performance.now(); nowMs < endMs;) {
      writeSync(file, bytes, 0, WRITE_BYTES, (took.length * WRITE_BYTES) % ROOM_BYTES);
      fdatasyncSync(file);
      const thenMs = performance.now();
      took.push((thenMs - nowMs) * 1_000);
      nowMs = thenMs;
    }
    return { p50Us: quantile(took, 0.5), p99Us: quantile(took, 0.99) };
  } finally {
    closeSync(file);
  }
}
