/** One moment on the two clocks that a directory goes by. */
export interface Moment {
  /** The wall clock, milliseconds since 1970: for what people read and for what outlives a restart. It may jump. */
  readonly wallMs: number;
  /** Never goes back: for leases, delays and windows, which a jump of the wall clock must not end. */
  readonly monotonicMs: number;
}
