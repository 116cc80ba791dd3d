import { groupOf } from "@datawire/routing";
import { type Instance, isUsable } from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";

/** How a view between two plans is made. */
export interface InterimOptions {
  /**
   * Whether an instance that leaves in an orderly way (draining, or withdrawn) goes on serving where it is the last of
   * its group and its replacement waits for the reload too: make before break.
   */
  readonly keepsLast: boolean;
}

/**
 * The view of a service while a change of it waits for a reload: routes, settings, versions and URLs as before, but
 * with the present state of each instance. So deaths take effect at once, by the usual rules, and nothing else does.
 */
export function interimView(before: ServiceView, now: ServiceView | null, { keepsLast }: InterimOptions): ServiceView {
  const known = new Map((now?.instances ?? []).map((instance) => [instance.name, instance]));
  const instances = before.instances.map((instance) => withState(instance, known.get(instance.name)));
  const interim = { ...before, instances };
  return keepsLast && now !== null ? keepLast({ before, interim, now }) : interim;
}

/**
 * An instance at its previous URL, in its present state; or in its previous state where it is now usable at another
 * URL, as that says nothing about this one.
 */
function withState(before: Instance, now: Instance | undefined): Instance {
  if (now === undefined) return { ...before, state: "draining" };
  const { state, since, reason, cause, drainMs } = now;
  if (isUsable(now) && now.url !== before.url) return before;
  return { ...before, state, since, reason, cause, drainMs };
}

interface Views {
  readonly before: ServiceView;
  readonly interim: ServiceView;
  readonly now: ServiceView;
}

function keepLast({ before, interim, now }: Views): ServiceView {
  const groupsLeft = new Set(interim.instances.filter(isUsable).map((instance) => groupOf(before, instance)));
  const groupsToCome = new Set(now.instances.filter(isUsable).map((instance) => groupOf(before, instance)));
  const isKept = ({ state }: Instance, was: Instance): boolean => {
    if (state !== "draining" || !isUsable(was) || groupsToCome.size === 0) return false;
    const group = groupOf(before, was);
    return groupsLeft.size === 0 || (groupsToCome.has(group) && !groupsLeft.has(group));
  };
  const instances = interim.instances.map((instance, i) => {
    const was = before.instances[i] as Instance;
    return isKept(instance, was) ? was : instance;
  });
  return { ...interim, instances };
}
