import { gammaln } from "simple-statistics";

/** How many of a number of requests were bad: failed, or slower than a limit. */
export interface Counted {
  readonly requests: number;
  readonly bad: number;
}

/** Bounds of a share, 0 to 1. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** What a confidence sequence is made with before anything is counted. */
export interface Confidence {
  /** The share near which it is to be narrow, above 0 and at most 1. */
  readonly limit: number;
  /** The chance that it ever leaves out the true share. */
  readonly alpha: number;
}

/** Closer than this part of itself a bound is not looked for. */
const PRECISION = 1e-9;

/**
 * The bounds of an anytime-valid confidence sequence for the share of bad requests: with all looks together, as often as
 * one cares to look, the true share is outside with a chance of at most `alpha`.
 *
 * For a share p, the chance of what was counted under a mixture of all shares (prior Beta(1/2, 1/2 ÷ limit)) divided by
 * its chance under p is a martingale that begins at 1 while p is the true share, so by Ville's inequality it ever
 * reaches 1 ÷ alpha with a chance of at most alpha. The sequence is of all p for which it has not.
 */
export function confidenceInterval({ requests, bad }: Counted, { limit, alpha }: Confidence): Interval {
  if (requests === 0) return { lower: 0, upper: 1 };
  const excess = excessOf({ requests, bad }, { limit, alpha });
  const found = bad / requests;
  return {
    lower: bad === 0 ? 0 : boundFrom(found / 2, (share) => share / 2, excess),
    upper: bad === requests ? 1 : boundFrom((1 + found) / 2, (share) => (1 + share) / 2, excess),
  };
}

/** By how much the logarithm of a share's martingale is above the one that leaves it out, and how that grows. */
interface Excess {
  readonly at: (share: number) => number;
  readonly slope: (share: number) => number;
}

/** Lowest at the share that was found, from where it grows to both sides, ever faster. */
function excessOf({ requests, bad }: Counted, { limit, alpha }: Confidence): Excess {
  const a = 1 / 2;
  const b = 1 / 2 / limit;
  const good = requests - bad;
  const mixture = logBeta(a + bad, b + good) - logBeta(a, b) + Math.log(alpha);
  return {
    at: (share) => mixture - times(bad, Math.log(share)) - times(good, Math.log1p(-share)),
    slope: (share) => good / (1 - share) - bad / share,
  };
}

/**
 * The share at which the sequence ends, on one side: from one that is outside, which `further` finds, by Newton's method,
 * which on a convex function stays outside and comes closer each time.
 */
function boundFrom(start: number, further: (share: number) => number, { at, slope }: Excess): number {
  let share = start;
  while (at(share) < 0) {
    const next = further(share);
    // So close to the end that no number lies between: everything up to there is possible.
    if (next === share || next === 1 || next === 0) return next;
    share = next;
  }
  for (;;) {
    const next = share - at(share) / slope(share);
    if (Math.abs(next - share) <= PRECISION * Math.min(share, 1 - share)) return share;
    share = next;
  }
}

const logBeta = (a: number, b: number): number => gammaln(a) + gammaln(b) - gammaln(a + b);

/** What was never seen says nothing against a share of 0 or 1, whose logarithm is infinite. */
const times = (count: number, log: number): number => (count === 0 ? 0 : count * log);
