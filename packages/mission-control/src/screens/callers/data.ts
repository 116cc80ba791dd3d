import type { Answer } from "@datawire/api";

/** A Sherlock or a library in one row. */
export interface CallerRow {
  readonly name: string;
  readonly kind: string;
  readonly version: string;
  readonly revision: number | null;
  /** Revisions behind the directory; null where it does not say. */
  readonly lag: number | null;
  /** Requests a second. */
  readonly rate: number | null;
  /** What it calls, the most first. */
  readonly services: readonly string[];
}

/** Who is connected, with what they call; several may have one name. */
export function callerRows(
  { callers, revision }: Answer<"listCallers">,
  edges: Answer<"map">["edges"] | null,
  seconds: number,
): CallerRow[] {
  const calls = Map.groupBy(edges ?? [], ({ caller }) => caller);
  return callers.map((each) => {
    const own = calls.get(each.name);
    return {
      ...each,
      lag: each.revision === null ? null : Math.max(0, revision - each.revision),
      rate: own === undefined ? null : own.reduce((sum, { requests }) => sum + requests, 0) / seconds,
      services: (own ?? []).toSorted((a, b) => b.requests - a.requests).map(({ service }) => service),
    };
  });
}
