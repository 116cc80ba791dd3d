import type { Logger } from "@datawire/runtime";
import type { Publisher } from "../feed/publisher.ts";
import { listed } from "../model/listed.ts";
import type { Moment } from "../model/moment.ts";
import type { Registry } from "../registry/registry.ts";
import type { Replicator } from "./replicator.ts";
import type { Job } from "./run-jobs.ts";

interface LeaseExpiryDeps {
  readonly registry: Registry;
  readonly publisher: Pick<Publisher, "touch">;
  readonly replicator: Pick<Replicator, "isInformed">;
  /** Whether leases wait for those who were there before a restart. */
  readonly isWaiting: (moment: Moment) => boolean;
  readonly log: Logger;
}

/** Takes away what leases that are over held, and tells when the guard begins and ends to hold some. */
export class LeaseExpiry implements Job {
  readonly #deps: LeaseExpiryDeps;

  constructor(deps: LeaseExpiryDeps) {
    this.#deps = deps;
  }

  run(moment: Moment): void {
    const { registry, publisher, replicator, isWaiting, log } = this.#deps;
    if (!replicator.isInformed || isWaiting(moment)) return;
    const before = registry.guard.held;
    const ended = registry.endLeases(moment);
    const guarded = registry.guard.held;
    if (ended.length > 0) log.info("Leases ended", { instances: ended.length, ended: listed(ended) });
    if (guarded !== null && before === null)
      log.error("Leases held by the guard", { ...guarded, remedy: "dw guard release" });
    if (guarded === null && before !== null) log.info("Guard holds no more leases");
    publisher.touch();
  }
}
