import type { Logger } from "@datawire/runtime";
import type { Plan } from "../core/model/plan.ts";
import {
  addRefused,
  ATTEMPTS_MAX,
  keptServices,
  NO_QUARANTINE,
  type Quarantine,
} from "../core/reconcile/quarantine.ts";
import { type Configurator, ConfigurationRefused } from "./configurator.ts";

/**
 * Makes the plan without some services, which are named with what HAProxy said of them.
 * @param kept those of them that may stay as they were before.
 */
export type MakePlan = (quarantined: ReadonlyMap<string, string>, kept: ReadonlySet<string>) => Plan;

/** A plan that HAProxy accepts, waiting to be installed. */
export interface Prepared {
  readonly plan: Plan;
  readonly quarantine: Quarantine;
}

/**
 * Finds a plan that HAProxy accepts, without the services whose part it refuses; for files that nothing runs with yet.
 * @throws ConfigurationRefused where no service can be blamed.
 */
export async function prepareFiles(
  configurator: Configurator,
  {
    makePlan,
    configVersion,
    log,
  }: { readonly makePlan: MakePlan; readonly configVersion: string; readonly log: Logger },
): Promise<Prepared> {
  let quarantine = NO_QUARANTINE;
  for (let attempt = 0; ; attempt++) {
    const { reasons } = quarantine;
    const plan = makePlan(reasons, keptServices(quarantine));
    const without = (services: Iterable<string>): Plan =>
      makePlan(new Map([...reasons, ...[...services].map((service) => [service, "on trial"] as const)]), new Set());
    const rejection = await configurator.validate(plan, { configVersion, without });
    if (rejection === null) return { plan, quarantine };
    const { services, reason } = rejection;
    if (services.length === 0 || attempt >= ATTEMPTS_MAX) throw new ConfigurationRefused(rejection);
    for (const service of services) log.error("Service left out, HAProxy refuses its part", { service, reason });
    quarantine = addRefused(quarantine, services, reason);
  }
}
