import { writePrivateFile } from "@datawire/runtime";
import { agreeingState } from "../core/observe/answers.ts";
import type { Plan } from "../core/model/plan.ts";
import type { RuntimeApi } from "./runtime-api.ts";

/**
 * Keeps what HAProxy knows of the servers of a plan over a reload: without it every one that it found dead would be
 * tried anew.
 */
export async function saveServerState(
  path: string,
  runtime: RuntimeApi,
  { servers }: Pick<Plan, "servers">,
): Promise<void> {
  const state = await runtime.ask("show servers state");
  if (!state.startsWith(EMPTY)) return clearServerState(path);
  await writePrivateFile(path, agreeingState(state, servers));
}

/** A first start has nothing to keep, and HAProxy wants a file that begins with the version of its format. */
export function clearServerState(path: string): Promise<void> {
  return writePrivateFile(path, EMPTY);
}

const EMPTY = "1\n";
