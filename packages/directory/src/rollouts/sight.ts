import { instanceKey, parseServiceAddress, selectorMatches } from "@datawire/protocol";
import type { RolloutRecord } from "../model/rollout-records.ts";
import type { State } from "../registry/state.ts";

/** Whether the target of a rollout has an instance that takes requests. */
export function isAlive({ table, registry }: State, { service, rollout }: RolloutRecord): boolean {
  const { version, instance } = parseServiceAddress(rollout.plan.target);
  const instances = table.service(service)?.instances ?? [];
  return instances.some(
    (one) =>
      // What a Watson out of sight said last holds on.
      (one.state === "live" || one.state === "lost") &&
      !registry.isDrained(instanceKey(one)) &&
      (instance === null || one.name === instance) &&
      (version === null || selectorMatches(version, one.version)),
  );
}
