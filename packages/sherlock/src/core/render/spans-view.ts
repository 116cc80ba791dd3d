/** Of which requests there are spans: of those that fail, or of these and of a share of all traces, 0 to 1. */
export type SpanChoice = "errors" | number;

/** Where HAProxy tells of the requests that become spans. */
export interface SpanTarget {
  /** The pipe that it is started with. */
  readonly fd: number;
  readonly of: SpanChoice;
}

/** What a template makes of it. */
export interface SpansView {
  /** Where a line goes for each request, as the words of `log`. */
  readonly log: string;
  /** Whether only requests that fail have spans. */
  readonly errorsOnly: boolean;
  /** A trace is chosen when the hash of its id is below this; null where all are. */
  readonly below: number | null;
  /** The condition of a response whose request costs no line; null where something else wants a line of each. */
  readonly silent: string | null;
}

/** A line that fits into a pipe is written whole or not at all (pipe(7), PIPE_BUF). */
const LINE_BYTES_MAX = 4_096;
const HASHES = 2 ** 32;

/** @param others whether the access log or percentiles want the lines of all requests. */
export function spansView({ fd, of }: SpanTarget, others: boolean): SpansView {
  const errorsOnly = of === "errors";
  const isAll = of === 1;
  // What HAProxy answers itself, since nobody does, has no response that a rule would see: its line comes.
  const silent = errorsOnly ? "{ status lt 500 }" : "{ status lt 500 } !spanned";
  return {
    log: `fd@${fd} len ${LINE_BYTES_MAX} format raw local0`,
    errorsOnly,
    below: errorsOnly || isAll ? null : Math.round(of * HASHES),
    silent: others || isAll ? null : silent,
  };
}
