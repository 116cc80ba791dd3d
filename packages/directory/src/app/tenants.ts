import { aborted } from "@datawire/runtime";
import type { ChangeableConfig, Tenant } from "./tenant.ts";

/** Makes the tenant of that name; null is for those who have none. */
export type OpenTenant = (name: string | null) => Promise<Tenant>;

/** The tenants that somebody has asked for since the start; each is made when the first one does. */
export class Tenants {
  readonly #make: OpenTenant;
  readonly #made = new Map<string | null, Promise<Tenant>>();
  readonly #ready: Tenant[] = [];
  readonly #houses: Promise<void>[] = [];
  #signal: AbortSignal | null = null;
  #changed: ChangeableConfig | null = null;

  constructor(make: OpenTenant) {
    this.#make = make;
  }

  of(name: string | null): Promise<Tenant> {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const making = this.#make(name).then((tenant) => {
      this.#ready.push(tenant);
      if (this.#changed !== null) tenant.configure(this.#changed);
      this.#keepHouse(tenant);
      return tenant;
    });
    this.#made.set(name, making);
    // One whose store cannot be opened now may be asked for again.
    making.catch(() => this.#made.delete(name));
    return making;
  }

  /** Those that are made. */
  list(): readonly Tenant[] {
    return this.#ready;
  }

  /** Does what is due for every tenant until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const tenant of this.#ready) this.#keepHouse(tenant);
    await aborted(signal);
    await Promise.all(this.#houses);
  }

  /** Takes the settings that may change while the directory runs, for all tenants. */
  configure(settings: ChangeableConfig): void {
    this.#changed = settings;
    for (const tenant of this.#ready) tenant.configure(settings);
  }

  /** Tells other directories what they do not know yet. */
  async leave(): Promise<void> {
    await Promise.all(this.#ready.map((tenant) => tenant.leave()));
  }

  /** Saves what is not saved yet. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#made.values());
    await Promise.all(this.#ready.map((tenant) => tenant.close()));
  }

  #keepHouse(tenant: Tenant): void {
    if (this.#signal !== null) this.#houses.push(tenant.keepHouse(this.#signal));
  }
}
