import { ProtocolError } from "@datawire/protocol";
import { aborted } from "@datawire/runtime";
import type { ChangeableConfig, Tenant } from "./tenant.ts";

/** Makes the tenant of that name; null is for those who have none. */
export type OpenTenant = (name: string | null) => Promise<Tenant>;

/** Told of each time that a tenant cannot be opened, and whether it could be before. */
export type TenantFailed = (name: string, error: unknown, isNews: boolean) => void;

/** The tenants that somebody has asked for since the start; each is made when the first one does. */
export class Tenants {
  readonly #make: OpenTenant;
  readonly #failed: TenantFailed;
  readonly #broken = new Set<string>();
  readonly #made = new Map<string | null, Promise<Tenant>>();
  readonly #ready: Tenant[] = [];
  readonly #houses: Promise<void>[] = [];
  #signal: AbortSignal | null = null;
  #changed: ChangeableConfig | null = null;

  constructor(make: OpenTenant, failed: TenantFailed) {
    this.#make = make;
    this.#failed = failed;
  }

  /** @throws ProtocolError `unavailable` for a tenant that cannot be opened: it costs that one alone. */
  of(name: string | null): Promise<Tenant> {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const making = this.#open(name);
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

  async #open(name: string | null): Promise<Tenant> {
    const tenant = await this.#make(name).catch((error: unknown) => {
      if (name === null || error instanceof ProtocolError) throw error;
      this.#failed(name, error, !this.#broken.has(name));
      this.#broken.add(name);
      // Where its store is and what is wrong there is for who runs the directory.
      const message = `Cannot serve the tenant ${name}: what it keeps cannot be opened; the directory's log says why`;
      throw new ProtocolError("unavailable", message, { cause: error });
    });
    if (name !== null) this.#broken.delete(name);
    this.#ready.push(tenant);
    if (this.#changed !== null) tenant.configure(this.#changed);
    this.#keepHouse(tenant);
    return tenant;
  }

  #keepHouse(tenant: Tenant): void {
    if (this.#signal !== null) this.#houses.push(tenant.keepHouse(this.#signal));
  }
}
