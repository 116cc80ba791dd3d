import { type Fields, textOf } from "@datawire/amqp";
import { REASON_PROPERTY, type StallReason, stallReason } from "@datawire/protocol";

/** The reason that a router says, asked how a link stands; null where it says none. */
export function toldReason(told: Fields | null): StallReason | null {
  return stallReason(textOf(told?.get(REASON_PROPERTY)));
}

/** A link on which nothing has moved for a while. */
export interface Stall {
  readonly address: string;
  readonly role: "sender" | "receiver";
  readonly reason: StallReason;
  /** How long, in milliseconds. */
  readonly forMs: number;
}

/** What is looked at of a link. */
export interface Watched {
  readonly address: string;
  readonly role: "sender" | "receiver";
  /** Null: it moves, or has nothing to do. */
  readonly waitsFor: StallReason | null;
}

/** Finds out which links have waited for one thing too long, each time told once. */
export class Stalls {
  readonly #afterMs: number;
  readonly #since = new Map<object, { readonly reason: StallReason; readonly sinceMs: number; told: boolean }>();

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Looks at all links; returns those whose stall is new. */
  look(links: Iterable<readonly [object, Watched]>, nowMs: number): readonly Stall[] {
    const found: Stall[] = [];
    const seen = new Set<object>();
    for (const [key, { address, role, waitsFor }] of links) {
      if (waitsFor === null) continue;
      seen.add(key);
      const known = this.#since.get(key);
      const since = known?.reason === waitsFor ? known : { reason: waitsFor, sinceMs: nowMs, told: false };
      this.#since.set(key, since);
      if (since.told || nowMs - since.sinceMs < this.#afterMs) continue;
      since.told = true;
      found.push({ address, role, reason: waitsFor, forMs: nowMs - since.sinceMs });
    }
    for (const key of this.#since.keys()) if (!seen.has(key)) this.#since.delete(key);
    return found;
  }
}
