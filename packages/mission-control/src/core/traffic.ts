/** What came of the requests of a service, an instance or a caller; null for what nobody counted. */
export interface Traffic {
  /** Requests a second. */
  readonly rate: number | null;
  /** Of the requests, 0 to 1; null without any. */
  readonly errors: number | null;
  /** In milliseconds. */
  readonly p99: number | null;
}

/** The traffic of what nobody counted. */
const NO_TRAFFIC: Traffic = { rate: null, errors: null, p99: null };

/** What a directory says of traffic, as rows show it. */
export function trafficOf(
  told: { readonly rate: number; readonly errorPercent: number | null; readonly p99: number | null } | null | undefined,
): Traffic {
  if (told === null || told === undefined) return NO_TRAFFIC;
  const { rate, errorPercent, p99 } = told;
  return { rate, errors: errorPercent === null ? null : errorPercent / 100, p99 };
}
