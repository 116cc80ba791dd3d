import type { RolloutListing } from "@datawire/api";
import type { RolloutRecord } from "../model/rollout-records.ts";

/** A rollout as the interface shows it: shares in percent, times by RFC 3339. */
export function listRollout({ id, service, rollout, by, startedAtMs, endedAtMs }: RolloutRecord): RolloutListing {
  const { plan, state, step, steps, reason } = rollout;
  return {
    id,
    service,
    target: plan.target,
    from: plan.from,
    state,
    step,
    steps: steps.map((at, i) => {
      const { share = 0, forMs = 0 } = plan.steps[i] ?? {};
      return {
        share: share / 100,
        forMs,
        state: at.state,
        startedAt: at.startedAtMs === null ? null : time(at.startedAtMs),
        watchedMs: Math.round(at.watchedMs),
        requests: at.target.requests,
        checks: at.verdicts,
      };
    }),
    reason,
    by,
    startedAt: time(startedAtMs),
    endedAt: endedAtMs === null ? null : time(endedAtMs),
  };
}

const time = (ms: number): string => new Date(ms).toISOString();
