/** Where HAProxy tells latencies. */
export interface LatencyTarget {
  /** The pipe that it is started with. */
  readonly fd: number;
  /** Of one request in so many. */
  readonly oneIn: number;
}

/** What a template makes of it. */
export interface PercentilesView {
  /** Where a line goes for each request, as the words of `log`. */
  readonly log: string;
  /** One request in so many gets a line; null where all have one anyway. */
  readonly oneIn: number | null;
}

/** A line that fits into a pipe is written whole or not at all (pipe(7), PIPE_BUF). */
const LINE_BYTES_MAX = 4_096;

/** @param longLines whether requests have a line anyway, for the access log or for spans: in its format, and only some are told. */
export function percentilesView({ fd, oneIn }: LatencyTarget, longLines: boolean): PercentilesView {
  const log = `fd@${fd} len ${LINE_BYTES_MAX} format raw`;
  if (oneIn === 1) return { log, oneIn: null };
  return longLines ? { log: `${log} sample 1:${oneIn}`, oneIn: null } : { log, oneIn };
}
