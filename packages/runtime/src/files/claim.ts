import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { systemErrorCode } from "../errors/system-error.ts";

/**
 * Takes a folder for this process alone, by a name that the kernel drops when the process ends, however that happens.
 * Other systems than Linux have no such names, so that there everybody gets the folder.
 * @param use what it is taken for: `router`. Uses do not exclude each other.
 * @returns what gives it back; null where another process has it.
 */
export async function claimFolder(folder: string, use: string): Promise<(() => Promise<void>) | null> {
  if (process.platform !== "linux") return async () => {};
  const digest = createHash("sha256")
    .update(await realpath(folder))
    .digest("hex");
  const server = createServer((socket) => socket.destroy());
  const error = await new Promise<Error | null>((resolve) => {
    server.once("error", resolve);
    server.listen({ path: `\0datawire-${use}-${digest}` }, () => resolve(null));
  });
  if (systemErrorCode(error) === "EADDRINUSE") return null;
  if (error !== null) throw error;
  server.unref();
  return () => new Promise((resolve) => void server.close(() => resolve()));
}
