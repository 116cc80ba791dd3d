const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** A span of time as people say it, in its two largest units: `1h 59m`, `3d`, `12s`; anything below a second is `0s`. */
export function formatSpan(ms: number): string {
  const parts: string[] = [];
  let rest = Math.max(0, ms);
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0s" : parts.join(" ");
}

/** How long ago a moment of RFC 3339 was, `-` where there is none. */
export function formatAge(since: string | null, nowMs: number): string {
  const sinceMs = since === null ? Number.NaN : Date.parse(since);
  return Number.isNaN(sinceMs) ? "-" : formatSpan(nowMs - sinceMs);
}

/** A percentage for people, with as many decimals as it has, and never more than two: `33.33%`. */
export function formatShare(percent: number): string {
  const rounded = Math.round(percent * 100) / 100;
  return rounded === 0 && percent > 0 ? "<0.01%" : `${rounded}%`;
}

/** `1 instance`, `3 instances`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
