import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { systemErrorCode } from "../errors/system-error.ts";

/** What came of asking for a folder: what gives it back, or the process that has it; null where that does not say. */
export type Claim =
  | { readonly state: "own"; readonly release: () => Promise<void> }
  | { readonly state: "taken"; readonly pid: number | null };

/** Whoever has a folder says so at once, or is stopped or busy. */
const ANSWER_MS_MAX = 500;
/** More than a process id has. */
const ANSWER_CHARACTERS_MAX = 32;

/**
 * Takes a folder for this process alone, by a name that the kernel drops when the process ends, however that happens.
 * Nothing is written, so that it works on a full disk too. Other systems than Linux have no such names, so that there
 * everybody gets the folder.
 * @param use what it is taken for: `router`. Uses do not exclude each other.
 * @param part what of the folder is taken, such as the name of a file; by default all of it.
 */
export async function claimFolder(folder: string, use: string, part = ""): Promise<Claim> {
  if (process.platform !== "linux") return { state: "own", release: async () => {} };
  const digest = createHash("sha256")
    .update(await realpath(folder))
    .update(part === "" ? "" : `\0${part}`)
    .digest("hex");
  const path = `\0datawire-${use}-${digest}`;
  const server = createServer((socket) => {
    socket.on("error", () => {}); // it has gone meanwhile
    socket.end(`${process.pid}\n`);
  });
  const error = await new Promise<Error | null>((resolve) => {
    server.once("error", resolve);
    server.listen({ path }, () => resolve(null));
  });
  if (systemErrorCode(error) === "EADDRINUSE") return { state: "taken", pid: await pidOf(path) };
  if (error !== null) throw error;
  server.unref();
  return { state: "own", release: () => new Promise((resolve) => void server.close(() => resolve())) };
}

/** The process that has a name, as it says itself. */
function pidOf(path: string): Promise<number | null> {
  return new Promise((resolve) => {
    let said = "";
    const socket = createConnection({ path }).setEncoding("latin1");
    const end = (): void => {
      socket.destroy();
      const pid = /^(\d+)\n/.exec(said)?.[1];
      resolve(pid === undefined ? null : Number(pid));
    };
    socket.setTimeout(ANSWER_MS_MAX, end);
    socket.on("data", (text: string) => {
      said += text;
      if (said.length > ANSWER_CHARACTERS_MAX) end();
    });
    socket.on("error", end);
    socket.on("end", end);
  });
}

/** Who has a folder, for a message: `another router, with process id 12,`. */
export function describeHolder(name: string, pid: number | null): string {
  return pid === null ? `another ${name}` : `another ${name}, with process id ${pid},`;
}
