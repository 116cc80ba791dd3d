/** What a measure may be at most: a fixed value, or one that goes by the primary's in the same time. */
export type Limit =
  | { readonly kind: "fixed"; readonly value: number }
  /** The primary's, times `factor`, plus `margin`. */
  | { readonly kind: "primary"; readonly factor: number; readonly margin: number };

/** The share of requests that fail, 0 to 1. */
export interface ErrorRateCheck {
  readonly kind: "error-rate";
  readonly name: string;
  readonly limit: Limit;
}

/** How long the slowest of a share of requests may take, in milliseconds. */
export interface LatencyCheck {
  readonly kind: "latency";
  readonly name: string;
  /** The share that may be slower: 0.01 for `p99`. */
  readonly share: number;
  readonly limit: Limit;
}

/** A number that a Prometheus gives. */
export interface QueryCheck {
  readonly kind: "query";
  readonly name: string;
  readonly prometheus: string;
  readonly query: string;
  readonly compare: "<=" | "<" | ">=" | ">";
  readonly value: number;
  /** How many answers in a row have to be beyond the value before it fails. */
  readonly failures: number;
}

/** What is counted of requests, and judged by confidence. */
export type CountedCheck = ErrorRateCheck | LatencyCheck;

/** What a step of a rollout is judged by. */
export type Check = CountedCheck | QueryCheck;
