import { countOf, quantileOf } from "@datawire/protocol";
import type { CountedCheck, ErrorRateCheck, LatencyCheck, Limit } from "../checks/check.ts";
import { type Alphas, alphasOf } from "./alpha.ts";
import { confidenceInterval, type Counted, type Interval } from "./confidence.ts";
import type { Evidence } from "./evidence.ts";
import { type QuantileInterval, quantileInterval, slowerThan } from "./slow.ts";

/** What a check says at a look. `no-data`: fewer requests than the minimum. */
export type VerdictState = "pass" | "fail" | "undecided" | "no-data";

/** A verdict with the numbers that it is made of: shares as percents, durations as milliseconds. */
export interface Verdict {
  readonly name: string;
  readonly state: VerdictState;
  /** What was found at the target; null without a request. */
  readonly target: number | null;
  /** What was found at the primary in the same time; null without a request. */
  readonly baseline: number | null;
  /** What the target may have at most; null while it goes by a primary of which nothing is known. */
  readonly limit: number | null;
  /** Of the target, of those that the check looks at. */
  readonly requests: number;
  /** Bounds of what the target has. */
  readonly lower: number | null;
  readonly upper: number | null;
}

/** How sure a verdict has to be, and of how much. */
export interface JudgeConfig {
  /** 0.99: at most one version in a hundred at its limit is failed or passed by chance. */
  readonly confidence: number;
  /** How many requests of the target a check needs before it says anything. */
  readonly minimum: number;
}

/** Both sides of a step, of the same time. */
export interface Sides {
  readonly target: Evidence;
  readonly primary: Evidence;
}

/** Where a limit goes by a primary without a margin, the share near which its sequence is narrow. */
const SHARE_WITHOUT_MARGIN = 0.01;

/** Judges what was counted in a step so far. May be asked at any time and as often as one likes. */
export function judge(check: CountedCheck, sides: Sides, config: JudgeConfig): Verdict {
  return check.kind === "error-rate" ? judgeErrors(check, sides, config) : judgeLatency(check, sides, config);
}

function judgeErrors({ name, limit }: ErrorRateCheck, { target, primary }: Sides, config: JudgeConfig): Verdict {
  const alphas = alphasOf(limit, config.confidence);
  const prior = priorShare(limit);
  const of = ({ requests, errors }: Evidence): Counted => ({ requests, bad: Math.min(errors, requests) });
  const found = (side: Evidence): number | null => (side.requests === 0 ? null : of(side).bad / side.requests);
  const bounds = confidenceInterval(of(target), { limit: prior, alpha: alphas.target });
  const reached =
    limit.kind === "fixed"
      ? { lower: limit.value, upper: limit.value }
      : around(limit, confidenceInterval(of(primary), { limit: prior, alpha: alphas.primary }));
  return {
    name,
    state: stateOf(target.requests, config, bounds, reached),
    target: percent(found(target)),
    baseline: percent(found(primary)),
    limit: percent(limitOf(limit, found(primary))),
    requests: target.requests,
    lower: percent(bounds.lower),
    upper: percent(bounds.upper),
  };
}

function judgeLatency(check: LatencyCheck, { target, primary }: Sides, config: JudgeConfig): Verdict {
  const { name, limit, share } = check;
  const alphas = alphasOf(limit, config.confidence);
  const requests = countOf(target.latencies);
  const bounds = quantileInterval(target.latencies, share, alphas.target);
  const found = quantileOf(target.latencies, 1 - share);
  const baseline = quantileOf(primary.latencies, 1 - share);
  return {
    name,
    state: requests < config.minimum ? "no-data" : latencyState(check, { target, primary }, bounds, alphas),
    target: found,
    baseline,
    limit: limitOf(limit, baseline),
    requests,
    lower: requests === 0 ? null : bounds.lower,
    upper: bounds.upper,
  };
}

function latencyState(
  { limit, share }: LatencyCheck,
  { target, primary }: Sides,
  bounds: QuantileInterval,
  alphas: Alphas,
): VerdictState {
  if (limit.kind === "fixed") {
    const { requests, slower, divided } = slowerThan(target.latencies, limit.value);
    const confidence = { limit: share, alpha: alphas.target };
    if (confidenceInterval({ requests, bad: slower }, confidence).lower > share) return "fail";
    return confidenceInterval({ requests, bad: slower + divided }, confidence).upper < share ? "pass" : "undecided";
  }
  const { lower, upper } = quantileInterval(primary.latencies, share, alphas.primary);
  if (upper !== null && bounds.lower > upper * limit.factor + limit.margin) return "fail";
  return bounds.upper !== null && bounds.upper <= lower * limit.factor + limit.margin ? "pass" : "undecided";
}

/** Beyond the upper end of what the limit can be, or below its lower one. */
function stateOf(requests: number, { minimum }: JudgeConfig, bounds: Interval, limit: Interval): VerdictState {
  if (requests < minimum) return "no-data";
  if (bounds.lower > limit.upper) return "fail";
  return bounds.upper < limit.lower ? "pass" : "undecided";
}

function priorShare(limit: Limit): number {
  if (limit.kind === "fixed") return limit.value;
  return limit.margin > 0 ? limit.margin : SHARE_WITHOUT_MARGIN;
}

/** What a limit that goes by the primary can be, between the bounds of what the primary has. */
const around = ({ factor, margin }: Extract<Limit, { kind: "primary" }>, primary: Interval): Interval => ({
  lower: primary.lower * factor + margin,
  upper: primary.upper * factor + margin,
});

function limitOf(limit: Limit, baseline: number | null): number | null {
  if (limit.kind === "fixed") return limit.value;
  return baseline === null ? null : baseline * limit.factor + limit.margin;
}

/** Rounded to what a number of requests can tell at all. */
const percent = (share: number | null): number | null => (share === null ? null : Math.round(share * 1e8) / 1e6);
