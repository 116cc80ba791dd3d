import { mkdtemp, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { formatListenAddress, type ListenAddress, listenError } from "@datawire/runtime";
import type { Seat } from "./messages.ts";

/** More than there are processors is of no use. */
export const countOf = (processes: number | "auto"): number =>
  processes === "auto" ? availableParallelism() : processes;

/** The processes that a router has: those that are asked for, and those of logs that are left of a time when there were more. */
export async function seatsOf(dataDir: string, count: number): Promise<Seat[]> {
  const left = await leftLogs(dataDir, count);
  const indices = [...Array.from({ length: count }, (_, index) => index), ...left];
  if (indices.length === 1) return [];
  const folder = await mkdtemp(join(tmpdir(), "dw-router-"));
  return indices.map((index) => ({ index, count, indices, folder }));
}

async function leftLogs(dataDir: string, count: number): Promise<number[]> {
  const names = await readdir(dataDir).catch(() => []);
  const indices = names.map((name) => Number(/^log-(\d+)$/.exec(name)?.[1] ?? 0)).filter((index) => index >= count);
  const found = await Promise.all(
    indices.map(async (index) => ((await readdir(join(dataDir, `log-${index}`))).length > 0 ? [index] : [])),
  );
  return found.flat().toSorted((a, b) => a - b);
}

/**
 * Finds a port that all processes can listen on together; nobody else may have it.
 * @throws Error that says why it cannot be had.
 */
export function claimPort(listen: ListenAddress, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error) => reject(listenError(error, listen, setting)));
    server.listen({ host: listen.host, port: listen.port }, () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : listen.port;
      server.close(() =>
        port > 0 ? resolve(port) : reject(new Error(`Cannot listen at ${formatListenAddress(listen)}`)),
      );
    });
  });
}
