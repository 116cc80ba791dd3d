import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tree } from "../cpu.ts";

/**
 * Imported by every bench: nothing that one has started outlives it, whether it fails, is stopped, loses its terminal, or
 * writes to somebody who reads no further (`| head`). What a child has started ends with it, as the HAProxy of an agent
 * does not where the agent alone is killed.
 */
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // A bench that listens for it too ends in its own way.
  process.once(signal, () => process.listenerCount(signal) === 0 && process.exit(1));
}
for (const stream of [process.stdout, process.stderr]) stream.once("error", () => process.exit(1));
const folders: string[] = [];
process.once("exit", () => {
  const [, ...started] = tree(process.pid);
  for (const pid of started) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended meanwhile
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** Makes a temporary folder, which is removed at the end of this process, whichever it is. */
export function ownFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.push(folder);
  return folder;
}
