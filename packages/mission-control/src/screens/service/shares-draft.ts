import type { RouteListing } from "@datawire/api";

/** The percentages that are being typed, by target. */
export type Draft = ReadonlyMap<string, string>;

/** What the routes of a caller say, as one begins to edit it. */
export function draftOf(routes: readonly RouteListing[], caller: string): Draft {
  const own = routes.filter((route) => route.caller === caller);
  return new Map(own.map(({ target, percent }) => [target, String(percent)]));
}

/** The targets whose share is another one than before. */
export function changedShares(draft: Draft, before: Draft): [target: string, percent: string][] {
  return [...draft].filter(([target, percent]) => {
    const old = before.get(target);
    return old === undefined || readPercent(percent) !== readPercent(old);
  });
}

/** Reads a percentage of 0 to 100; null for anything else. */
export function readPercent(text: string): number | null {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return value >= 0 && value <= 100 ? value : null;
}
