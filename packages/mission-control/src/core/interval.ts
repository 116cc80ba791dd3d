/** What is known of a number: that it is between two bounds, of which the upper may be far away, and the limit it is held to. */
export interface Bounds {
  readonly lower: number | null;
  readonly upper: number | null;
  /** The number that was found. */
  readonly found: number | null;
  readonly limit: number | null;
}

/** Where each of these lies on a scale of 0 to 100. */
export interface PlacedBounds {
  readonly from: number;
  readonly to: number;
  readonly found: number | null;
  readonly limit: number | null;
}

/**
 * Places bounds beside their limit, which stands in the middle as far as they allow it: what is left of it is well.
 * An upper bound that is not known, or far away, ends at the end. Null where nothing is known.
 */
export function placeBounds({ lower, upper, found, limit }: Bounds): PlacedBounds | null {
  if (lower === null) return null;
  const middle = limit !== null && limit > 0 ? limit : Math.max(lower, found ?? 0, (upper ?? 0) / 2);
  const most = Math.max(2 * middle, 1.15 * lower, 1.15 * (found ?? 0));
  if (most === 0) return null;
  const at = (value: number): number => Math.min(100, Math.max(0, (value / most) * 100));
  return {
    from: at(lower),
    to: upper === null ? 100 : at(upper),
    found: found === null ? null : at(found),
    limit: limit === null ? null : at(limit),
  };
}
