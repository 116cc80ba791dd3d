import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { type Clock, systemErrorCode } from "@datawire/runtime";

/**
 * Takes a folder for this process: two routers on one log would write over each other. The lock is a name that the kernel
 * forgets when the process ends, however that happens; other systems than Linux have none.
 * @returns what gives it back.
 * @throws Error where another process has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  if (process.platform !== "linux") return async () => {};
  const digest = createHash("sha256")
    .update(await realpath(folder))
    .digest("hex");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const isTaken = systemErrorCode(cause) === "EADDRINUSE";
      const why = isTaken
        ? "another router uses it; stop that one, or give this one another --data-dir"
        : cause.message;
      reject(new Error(`Cannot use the folder ${folder}: ${why}`, { cause }));
    });
    server.listen({ path: `\0datawire-router-${digest}` }, () => resolve());
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** The process that had it before may not have ended yet. */
const PATIENCE_MS = 10_000;

/** Takes a folder as soon as the process before has left it. @throws Error where it stays. */
export async function lockLater(folder: string, clock: Clock): Promise<() => Promise<void>> {
  const untilMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (clock.monotonicMs() > untilMs) throw error;
      await clock.sleep(100);
    }
  }
}
