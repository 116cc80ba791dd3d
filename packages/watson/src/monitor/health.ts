import type { Belief, Failure } from "../model/belief.ts";

/** What the checks of one instance come to. */
export type Health =
  | { readonly state: "unknown" }
  | { readonly state: "live" }
  | ({ readonly state: "down" } & Failure);

/**
 * Combines the beliefs of all checks, which must all pass: the first that is down decides. While one is undecided and
 * none is down, what was believed `before` stays, so that a check added to a live instance does not take it out.
 */
export function combine(beliefs: Iterable<Belief>, before: Health): Health {
  let undecided = false;
  for (const belief of beliefs) {
    if (belief.state === "down") {
      const same = before.state === "down" && before.reason === belief.reason;
      return same ? before : { state: "down", reason: belief.reason, cause: belief.cause };
    }
    if (belief.state === "unknown") undecided = true;
  }
  if (undecided || before.state === "live") return before;
  return { state: "live" };
}
