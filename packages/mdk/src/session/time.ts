/** Time as sessions see it. */
export interface SessionClock {
  /** Wall clock, milliseconds since 1970: for what others read. It may jump. */
  nowMs(): number;
  /** Milliseconds since some fixed moment, never going back. */
  monotonicMs(): number;
  /** Calls `fn` once after `ms`; the function returned cancels it. */
  setTimer(ms: number, fn: () => void): () => void;
}
