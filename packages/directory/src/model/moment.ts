import type { Clock } from "@datawire/runtime";

/** One moment on the two clocks that a directory goes by. */
export interface Moment {
  /** The wall clock, milliseconds since 1970: for what people read and for what outlives a restart. It may jump. */
  readonly wallMs: number;
  /**
   * Never goes back, and counts only time in which the directory attended to what came: for leases, delays and windows,
   * which neither a jump of the wall clock nor a process that was stopped must end.
   */
  readonly monotonicMs: number;
}

/** The moment that a clock shows. */
export function momentOf(clock: Pick<Clock, "nowMs" | "monotonicMs">): Moment {
  return { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() };
}
