import { writePrivateFile } from "@datawire/runtime";
import { agreeingState } from "../core/observe/answers.ts";
import type { Plan } from "../core/model/plan.ts";
import type { Rename } from "../core/model/spares.ts";
import type { RuntimeApi } from "./runtime-api.ts";

/**
 * Keeps what HAProxy knows of the servers of a plan over a reload: without it every one that it found dead would be
 * tried anew.
 * @param own the own name of a backend.
 */
export async function saveServerState(
  path: string,
  runtime: RuntimeApi,
  { plan: { servers }, own }: { readonly plan: Pick<Plan, "servers">; readonly own: Rename },
): Promise<void> {
  const state = await runtime.ask("show servers state");
  if (!state.startsWith(EMPTY)) return clearServerState(path);
  await writePrivateFile(path, agreeingState(state, servers, own));
}

/** A first start has nothing to keep, and HAProxy wants a file that begins with the version of its format. */
export function clearServerState(path: string): Promise<void> {
  return writePrivateFile(path, EMPTY);
}

const EMPTY = "1\n";
