import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@datawire/runtime/testing";

/** A folder that sockets fit into. */
export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "shk-"));
}

/** Removes a folder with all that is in it, if it is there. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

/** A port that nothing listens on, and that no other test is given. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}
