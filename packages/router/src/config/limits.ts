/** Bounds of one connection. */
export interface ConnectionLimits {
  readonly sessions: number;
  readonly links: number;
  readonly frameBytes: number;
  readonly messageBytes: number;
  /** Messages that a consumer may have and not have settled. */
  readonly unsettled: number;
}
