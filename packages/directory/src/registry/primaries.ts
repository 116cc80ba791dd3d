import { compareGenerations, generationOf, isUsable } from "@datawire/protocol";
import { newestGeneration } from "@datawire/routing";
import type { CatalogReader } from "@datawire/catalog";
import type { Moment } from "../model/moment.ts";
import type { Services } from "./services.ts";

/** How long after a service is first heard of the lowest generation may still become its primary. */
export const ELECTION_MS = 5_000;

/** A primary that is to be remembered from now on. */
export interface Decision {
  readonly service: string;
  readonly primary: string;
  /** The generation that it replaces; null for a service that had none. */
  readonly replaces: string | null;
}

/** Why the primary of a service is undecided. A service without such an entry has a primary, and instances of it. */
type Undecided =
  /** The lowest generation seen so far is primary for the time being. */
  | { readonly state: "electing"; readonly untilMs: number; readonly lowest: string }
  /** No instance of the primary generation is registered. */
  | { readonly state: "vacant"; readonly sinceMs: number };

/**
 * Decides which generation is primary (routing rules, section 3): the lowest one seen in the first seconds, and after
 * it has been gone for the promotion delay, the newest one that is live. Looks only at services that are undecided.
 */
export class Primaries {
  readonly #services: Services;
  readonly #table: CatalogReader;
  #promotionDelayMs: number;
  readonly #undecided = new Map<string, Undecided>();

  constructor(services: Services, table: CatalogReader, { promotionDelayMs }: { readonly promotionDelayMs: number }) {
    this.#services = services;
    this.#table = table;
    this.#promotionDelayMs = promotionDelayMs;
  }

  /** Waits for another delay from now on, also for primaries that are gone already. */
  configure({ promotionDelayMs }: { readonly promotionDelayMs: number }): void {
    this.#promotionDelayMs = promotionDelayMs;
  }

  /** The generation that is primary for the time being. */
  provisional(service: string): string | null {
    const undecided = this.#undecided.get(service);
    return undecided?.state === "electing" ? undecided.lowest : null;
  }

  /** The generation that would be primary for the time being if none had been decided; null without instances. */
  first(service: string): string | null {
    const seen = [...this.#services.generationsOf(service)];
    return seen.length === 0 ? null : lowestOf(seen);
  }

  /** Looks at a service whose instances or whose record changed. */
  review(service: string, { monotonicMs }: Moment): void {
    const next = this.#next(service, monotonicMs);
    if (next === null) this.#undecided.delete(service);
    else this.#undecided.set(service, next);
  }

  /** What is to be decided by now. Stays due until the record of the service says so. */
  due({ monotonicMs }: Moment): Decision[] {
    const decisions: Decision[] = [];
    for (const [service, undecided] of this.#undecided) {
      if (undecided.state === "electing") {
        if (monotonicMs >= undecided.untilMs) decisions.push({ service, primary: undecided.lowest, replaces: null });
        continue;
      }
      if (monotonicMs < undecided.sinceMs + this.#promotionDelayMs) continue;
      const primary = this.#newestLive(service);
      const replaces = this.#services.record(service)?.primary ?? null;
      if (primary !== null) decisions.push({ service, primary, replaces });
    }
    return decisions;
  }

  #next(service: string, nowMs: number): Undecided | null {
    if (this.#services.instancesOf(service) === 0) return null;
    const before = this.#undecided.get(service);
    const primary = this.#services.record(service)?.primary ?? null;
    if (primary !== null) {
      if (this.#services.hasGeneration(service, primary)) return null;
      return before?.state === "vacant" ? before : { state: "vacant", sinceMs: nowMs };
    }
    const seen = [...this.#services.generationsOf(service)];
    if (before?.state !== "electing") {
      return { state: "electing", untilMs: nowMs + ELECTION_MS, lowest: lowestOf(seen) };
    }
    // A generation that was seen and is gone again counts too: the rule says "the lowest generation seen".
    return nowMs < before.untilMs ? { ...before, lowest: lowestOf([before.lowest, ...seen]) } : before;
  }

  #newestLive(service: string): string | null {
    const instances = this.#table.service(service)?.instances ?? [];
    const live = new Set(instances.filter(isUsable).map((instance) => generationOf(instance.version)));
    return newestGeneration(instances.filter((instance) => live.has(generationOf(instance.version))));
  }
}

function lowestOf(generations: readonly string[]): string {
  return generations.reduce((lowest, other) => (compareGenerations(other, lowest) < 0 ? other : lowest));
}
