import { CONDITION } from "@datawire/amqp";

/** The bounds of `limits` in router.yaml at which something is refused, or waits. */
export const LIMITS = ["addresses", "connections", "sessions", "links", "frame", "message", "unsettled"] as const;

/** One of them. */
export type Limit = (typeof LIMITS)[number];

/** How often each bound was reached. */
export class Refusals {
  readonly #counts = new Map<Limit, number>();

  count(limit: Limit): void {
    this.#counts.set(limit, this.of(limit) + 1);
  }

  /** Counts what ended something, where a bound did. */
  note(error: { readonly condition: string; readonly description?: string | undefined } | null): void {
    if (error?.condition === CONDITION.messageSizeExceeded) return this.count("message");
    const limit = LIMITS.find((one) => error?.description?.includes(`(limits.${one})`) === true);
    if (limit !== undefined) this.count(limit);
  }

  of(limit: Limit): number {
    return this.#counts.get(limit) ?? 0;
  }
}
