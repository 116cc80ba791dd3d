import type { Clock } from "@datawire/runtime";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import type { Publisher } from "../feed/publisher.ts";
import type { State } from "../registry/state.ts";
import { CallerCleanup } from "./caller-cleanup.ts";
import { Election } from "./election.ts";
import { LeaseExpiry } from "./lease-expiry.ts";
import type { Replicator } from "./replicator.ts";
import type { WriteDeps } from "./retry.ts";
import type { Judge } from "../rollouts/judge.ts";
import { RolloutJudgement } from "./rollouts.ts";
import { RouteExpiry } from "./route-expiry.ts";
import type { Job } from "./run-jobs.ts";
import { WarmUpEnd } from "./warm-up-end.ts";

interface AllJobsDeps extends WriteDeps {
  readonly state: State;
  readonly executor: ChangeExecutor;
  readonly publisher: Publisher;
  readonly replicator: Replicator;
  readonly judge: Judge;
  readonly clock: Clock;
}

/**
 * All jobs of a table, in the order in which they are looked at: what others say comes before what is decided here, and
 * leases end before those that are left are shown as lost.
 */
export function createJobs({ warmUpMs }: { readonly warmUpMs: number }, deps: AllJobsDeps): Job[] {
  const { registry } = deps.state;
  const { publisher, replicator, log } = deps;
  const startedMs = deps.clock.monotonicMs();
  const warmUpEnd = new WarmUpEnd({ startedMs, warmUpMs }, { registry, publisher, log });
  return [
    replicator,
    new LeaseExpiry({
      registry,
      publisher,
      replicator,
      isWaiting: (moment) => warmUpEnd.isWaiting(moment),
      log,
    }),
    warmUpEnd,
    new Election(deps),
    new RouteExpiry(deps),
    new RolloutJudgement(deps.judge, deps),
    new CallerCleanup({ startedMs }, deps),
  ];
}
