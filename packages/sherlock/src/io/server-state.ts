import { writePrivateFile } from "@datawire/runtime";
import type { RuntimeApi } from "./runtime-api.ts";

/**
 * Keeps what HAProxy knows of its servers over a reload: without it every one that it found dead would be tried anew.
 * A first start gets an empty file, which HAProxy wants to begin with the version of its format.
 */
export async function saveServerState(path: string, runtime: RuntimeApi | null): Promise<void> {
  const state = runtime === null ? "1\n" : await runtime.ask("show servers state");
  await writePrivateFile(path, state.startsWith("1\n") ? state : "1\n");
}
