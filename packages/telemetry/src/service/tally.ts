import { LOSS_REASONS, type LossReason } from "../intake/loss.ts";

/** Counts what was lost, by tenant and reason. */
export class Tally {
  readonly #tenants = new Map<string, Map<LossReason, number>>();

  add(tenant: string, reason: LossReason, count: number): void {
    let counts = this.#tenants.get(tenant);
    if (counts === undefined) this.#tenants.set(tenant, (counts = new Map()));
    counts.set(reason, (counts.get(reason) ?? 0) + count);
  }

  /** Of a tenant what was its own; of no tenant, null, all. Reasons that there were none of are left out. */
  of(tenant: string | null): Record<string, number> {
    const all = tenant === null ? [...this.#tenants.values()] : [this.#tenants.get(tenant) ?? new Map()];
    return Object.fromEntries(
      LOSS_REASONS.flatMap((reason): [string, number][] => {
        const count = all.reduce((sum, counts) => sum + (counts.get(reason) ?? 0), 0);
        return count === 0 ? [] : [[reason, count]];
      }),
    );
  }
}
