import { addHistograms, type Histogram } from "@datawire/protocol";

/** What Sherlocks and libraries counted of one side of a step: of the target, or of the primary beside it. */
export interface Evidence {
  readonly requests: number;
  /** 5xx answers and connections that failed. */
  readonly errors: number;
  /** How long requests took, of those that were looked at; empty where nobody looks. */
  readonly latencies: Histogram;
}

/** Nothing counted yet. */
export const NO_EVIDENCE: Evidence = { requests: 0, errors: 0, latencies: [] };

/** Both together. */
export function addEvidence(a: Evidence, b: Evidence): Evidence {
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    latencies: addHistograms(a.latencies, b.latencies),
  };
}
