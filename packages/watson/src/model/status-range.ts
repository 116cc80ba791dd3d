const STATUS_MIN = 100;
const STATUS_MAX = 599;

/**
 * Reads `200` or `200-299`, both ends included.
 * @throws Error for anything else.
 */
export function parseStatusRange(text: string): readonly [number, number] {
  const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(text);
  if (match === null) throw new Error("it is no number and no range");
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (from < STATUS_MIN || to > STATUS_MAX) throw new Error(`statuses are from ${STATUS_MIN} to ${STATUS_MAX}`);
  if (from > to) throw new Error("the range ends before it begins");
  return [from, to];
}

/** Writes ranges as a person would: `200-299, 304`. */
export function formatStatusRanges(ranges: readonly (readonly [number, number])[]): string {
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}
