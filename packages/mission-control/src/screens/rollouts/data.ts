import { type Answer, endpoints, type RolloutListing } from "@datawire/api";
import { generationOf, selectorMatches } from "@datawire/protocol";
import type { Question } from "../../data/entry.ts";

/** One step of a rollout. */
export type Step = RolloutListing["steps"][number];
/** What a check of a step says. */
export type Check = Step["checks"][number];

const EVERY_MS = 700;

/** One rollout; null for one that is not known. */
export function rolloutQuestion(id: string): Question<RolloutListing | null> {
  return {
    key: `rollout/${id}`,
    topic: `rollout/${id}`,
    everyMs: EVERY_MS,
    ask: async (client) => (await client.ask(endpoints.showRollout, { params: { rollout: id } })).rollouts[0] ?? null,
    wholeOf: (whole) => (whole as Answer<"showRollout">).rollouts[0] ?? null,
    merge: (_, { changed }) => (changed.at(-1) as RolloutListing | undefined) ?? null,
  };
}

/** Whether it goes on, so that it can be commanded. */
export function isGoing({ state }: RolloutListing): boolean {
  return state === "running" || state === "paused" || state === "promoting";
}

/** How much of a caller's requests the target gets by the step that a rollout is at, 0 to 100. */
export function shareOf({ state, steps, step }: RolloutListing): number {
  if (state === "promoted" || state === "promoting") return 100;
  if (state === "rolled-back" || state === "aborted") return 0;
  return steps[step]?.share ?? 0;
}

/** A number of a check in its unit: latencies in milliseconds, error rates in percent, others as they are. */
export function unitOf({ name }: Pick<Check, "name">): "ms" | "%" | "" {
  if (/^p\d/.test(name)) return "ms";
  return name.startsWith("error-rate") ? "%" : "";
}

/** What a target names, `(VERSION)` or `@INSTANCE`; null for a whole service. */
export function namedBy(target: string): { readonly by: "version" | "instance"; readonly name: string } | null {
  const [, version, instance] = /^\/\/[^(@]+(?:\(([^)]*)\)|@(.+))$/.exec(target) ?? [];
  if (version !== undefined) return { by: "version", name: version };
  return instance === undefined ? null : { by: "instance", name: instance };
}

/** Which side of a rollout a version is on: of its target, of the primary, or of neither. */
export function sideOf(version: string | null, target: string, primary: string | null): "target" | "primary" | null {
  const named = namedBy(target);
  if (named?.by === "version" && selectorMatches(named.name, version)) return "target";
  return generationOf(version) === (primary ?? "") ? "primary" : null;
}
