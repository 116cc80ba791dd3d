import {
  compareGenerations,
  formatServiceAddress,
  type Generation,
  generationOf,
  type Instance,
  isNumeric,
  isUsable,
  parseServiceAddress,
  selectorLength,
  selectorMatches,
  type ServiceAddress,
} from "@datawire/protocol";
import type { ServiceView } from "@datawire/catalog";

/**
 * Which instances belong together. Selectors are prefixes of a version, so all selectors that match one instance are
 * nested, and its most specific one says everything: a service falls apart into disjoint groups, the same for every
 * caller, and each target of any caller is a union of groups.
 */

/** Whether `address` (of the instance's service) covers the instance. */
export function covers(address: ServiceAddress, instance: Instance): boolean {
  if (address.instance !== null) return address.instance === instance.name;
  return address.version === null || selectorMatches(address.version, instance.version);
}

/** Higher is more specific: the instance itself, then the longer selector, then the whole service. */
function specificity(address: ServiceAddress): number {
  if (address.instance !== null) return Number.MAX_SAFE_INTEGER;
  return address.version === null ? 0 : selectorLength(address.version);
}

/** The most specific of `targets` that covers the instance; null when none does. */
export function bestMatch(targets: readonly string[], instance: Instance): string | null {
  let best: { target: string; rank: number } | null = null;
  for (const target of targets) {
    const address = parseServiceAddress(target);
    if (address.service !== instance.service || !covers(address, instance)) continue;
    const rank = specificity(address);
    if (best === null || rank > best.rank) best = { target, rank };
  }
  return best?.target ?? null;
}

/**
 * The group of an instance: the most specific target that any route names it by, else its generation. The target
 * `//barker(2)` and generation 2 are the same group, so a version that was held is routed to without a new group.
 */
export function groupOf(view: ServiceView, instance: Instance): string {
  return bestMatch(view.named, instance) ?? generationTarget(instance.service, generationOf(instance.version));
}

/** The address that stands for a generation: `//barker(2)`; `//barker` for the one without a version. */
export function generationTarget(service: string, generation: Generation): string {
  return formatServiceAddress({ service, instance: null, version: generation === "" ? null : generation });
}

/** Whether a route of any caller names the instance: it then gets no share of the primary. */
export function isNamed(view: ServiceView, instance: Instance): boolean {
  return bestMatch(view.named, instance) !== null;
}

/** `routed` when a route names it, `primary` or `held` by its generation otherwise. */
export function roleOf(view: ServiceView, instance: Instance): "primary" | "held" | "routed" {
  if (isNamed(view, instance)) return "routed";
  return generationOf(instance.version) === view.service.primary ? "primary" : "held";
}

/**
 * The newest generation among `instances`: the highest number where all are numbers, else the one whose first
 * registration is the latest, since labels and commit ids have no order of their own. Null for no instances.
 */
export function newestGeneration(instances: readonly Instance[]): Generation | null {
  const firstSeen = new Map<Generation, number>();
  for (const instance of instances) {
    const generation = generationOf(instance.version);
    firstSeen.set(generation, Math.min(firstSeen.get(generation) ?? Number.POSITIVE_INFINITY, instance.order));
  }
  const generations = [...firstSeen.keys()];
  const numeric = generations.every(isNumeric);
  generations.sort((a, b) =>
    numeric ? compareGenerations(a, b) : (firstSeen.get(a) as number) - (firstSeen.get(b) as number),
  );
  return generations.at(-1) ?? null;
}

/**
 * The instances of one target that take its requests: the live ones, and of those the caller's own zone alone while
 * at least half of the instances registered there are live (routing rules, section 6).
 */
export function pool(members: readonly Instance[], zone: string | null): readonly Instance[] {
  const usable = members.filter(isUsable);
  if (zone === null) return usable;
  const near = members.filter((instance) => instance.zone === zone);
  const nearUsable = near.filter(isUsable);
  return near.length > 0 && nearUsable.length * 2 >= near.length ? nearUsable : usable;
}
