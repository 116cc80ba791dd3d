import type { ResolveQuery } from "./deps.ts";
import { MdkError } from "./mdk-error.ts";

const RESOLVE_MS_MAX = 10_000;

/** The time to wait for a node: what was asked for in seconds, else 10 s, and no longer than the session has. */
export function waitMsOf({ options, remainingMs }: Pick<ResolveQuery, "options" | "remainingMs">): number {
  const { timeout } = options;
  if (timeout !== undefined && (Number.isNaN(timeout) || timeout < 0))
    throw new MdkError("invalid_argument", `Cannot wait for ${timeout} s: wanted 0 or more seconds`);
  return Math.min(timeout === undefined ? RESOLVE_MS_MAX : timeout * 1_000, remainingMs ?? Number.POSITIVE_INFINITY);
}
