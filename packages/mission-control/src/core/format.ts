// What stands for a number that is not known: never 0.
const UNKNOWN = "–";

/** A number that may be unknown. */
export type Maybe = number | null | undefined;

/** A rate, as `12.3/s`, `1.2k/s`. */
export function formatRate(perSecond: Maybe): string {
  return isKnown(perSecond) ? `${formatCount(perSecond)}/s` : UNKNOWN;
}

/** A number of things, short: `999`, `1.2k`, `3.4M`; below 100 with a tenth where it has one. */
export function formatCount(count: Maybe): string {
  if (!isKnown(count)) return UNKNOWN;
  for (const [size, unit] of SIZES) if (Math.abs(count) >= size * 0.99995) return `${tenths(count / size)}${unit}`;
  return Math.abs(count) < 99.95 ? tenths(count) : String(Math.round(count));
}

const SIZES = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** A share of 0 to 1, as `0.4%`. */
export function formatRatio(ratio: Maybe): string {
  return isKnown(ratio) ? formatShare(ratio * 100) : UNKNOWN;
}

/** A percentage of 0 to 100, as `33.33%`: what is not nothing is not shown as `0%`. */
export function formatShare(percent: Maybe): string {
  if (!isKnown(percent)) return UNKNOWN;
  if (percent !== 0 && Math.abs(percent) < 0.01) return "<0.01%";
  return `${Number(percent.toFixed(2))}%`;
}

/** A duration in milliseconds, as `8 ms`, `1.2 s`, `3 min`. */
export function formatMs(ms: Maybe): string {
  if (!isKnown(ms)) return UNKNOWN;
  if (ms !== 0 && Math.abs(ms) < 0.95) return `${ms.toFixed(1)} ms`;
  if (Math.abs(ms) < 999.5) return `${Math.round(ms)} ms`;
  if (Math.abs(ms) < 59_950) return `${tenths(ms / 1000)} s`;
  if (Math.abs(ms) < 3_599_500) return `${tenths(ms / 60_000)} min`;
  return `${tenths(ms / 3_600_000)} h`;
}

/** How long ago something was, as `now`, `12 s ago`, `in 3 min`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  const size = Math.abs(seconds);
  if (size < 2) return "now";
  const [unit, name] = AGES.find(([limit]) => size >= limit) ?? [1, "s"];
  const text = `${Math.floor(size / unit)} ${name}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

const AGES = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
] as const;

/** A number of things with their word: `1 service`, `2 services`; where the plural has no mere `s`, it is given. */
export function plural(count: number, word: string, many = `${word}s`): string {
  return `${count} ${count === 1 ? word : many}`;
}

function isKnown(value: Maybe): value is number {
  return value !== null && value !== undefined && Number.isFinite(value);
}

function tenths(value: number): string {
  return String(Number(value.toFixed(1)));
}
