import { closeSync, openSync, readSync } from "node:fs";
import { countListening } from "./listening.ts";

const CHUNK_BYTES = 64 * 1024;

/**
 * Counts the sockets that listen on each port of this machine, as far as this process sees its network: those of
 * containers are not among them. Null where the system does not tell (it is not Linux).
 */
export function readListeningPorts(): Map<number, number> | null {
  const counts = new Map<number, number>();
  const found = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readTable(path, counts));
  return found.includes(true) ? counts : null;
}

/** Synchronous on purpose: the kernel makes the text while it is read, and no disk is waited for. */
function readTable(path: string, counts: Map<number, number>): boolean {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest = "";
    for (let length = readSync(file, buffer); length > 0; length = readSync(file, buffer)) {
      const lines = (rest + buffer.toString("latin1", 0, length)).split("\n");
      rest = lines.pop() ?? "";
      if (!countListening(lines, counts).more) break;
    }
    return true;
  } catch {
    return false;
  } finally {
    closeSync(file);
  }
}
