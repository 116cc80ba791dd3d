import type { Records } from "../model/records.ts";

/** What of a request cannot be kept. */
export interface Rejections {
  count: number;
  /** Why, of the first; empty where nothing was rejected. */
  reason: string;
}

/** What was read from a request. */
export interface Taken extends Records {
  readonly rejected: Readonly<Rejections>;
}
