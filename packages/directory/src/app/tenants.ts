import { ProtocolError } from "@datawire/protocol";
import { aborted } from "@datawire/runtime";
import { environmentOf, type Realm, realmKey, requireRoom } from "../store/realm.ts";
import type { ChangeableConfig, Tenant } from "./tenant.ts";

/** Makes the tenant, or the environment, of that name, among all others. */
export type OpenTenant = (realm: Realm, tenants: Tenants) => Promise<Tenant>;

/** Told of each time that a tenant cannot be opened, and whether it could be before. */
export type TenantFailed = (name: string, error: unknown, isNews: boolean) => void;

/** What else there is to know of environments. */
export interface EnvironmentsOf {
  /** What the one is called of all that knows no environments. */
  readonly usual: string;
  /** Those of a tenant that have a store of their own. */
  stored(tenant: string | null): Promise<readonly string[]>;
  /** Told of each that was opened. */
  opened(realm: Realm, tenant: Tenant): void;
}

/** The tenants and their environments that somebody has asked for since the start; each is made when the first one does. */
export class Tenants {
  readonly #make: OpenTenant;
  readonly #failed: TenantFailed;
  readonly #environments: EnvironmentsOf;
  readonly #broken = new Set<string>();
  readonly #made = new Map<string, { readonly realm: Realm; readonly tenant: Promise<Tenant> }>();
  readonly #ready: Tenant[] = [];
  readonly #jobs: Promise<void>[] = [];
  #signal: AbortSignal | null = null;
  #changed: ChangeableConfig | null = null;

  constructor(make: OpenTenant, failed: TenantFailed, environments: EnvironmentsOf) {
    this.#make = make;
    this.#failed = failed;
    this.#environments = environments;
  }

  /**
   * The table of a tenant in an environment, which is made where there is none.
   * @param environment default: the one of all that knows no environments.
   * @throws ProtocolError `unavailable` for one that cannot be opened: it costs that one alone; `limit_exceeded` for one
   * environment too many.
   */
  async of(tenant: string | null, environment: string | null = null): Promise<Tenant> {
    const own = environment === null ? null : environmentOf(environment, this.#environments.usual);
    const realm: Realm = { tenant, environment: own };
    const known = this.#made.get(realmKey(realm));
    if (known !== undefined) return known.tenant;
    if (own === null) return this.#begin(realm);
    const stored = await this.#environments.stored(tenant);
    // Between this look and the opening nothing is waited for, or several could take the last place.
    requireRoom(own, this.#environmentsOf(tenant, stored));
    return this.#made.get(realmKey(realm))?.tenant ?? this.#begin(realm);
  }

  /** As `of`, but null for an environment that is not there. */
  async existing(tenant: string | null, environment: string): Promise<Tenant | null> {
    const own = environmentOf(environment, this.#environments.usual);
    if (own !== null && !(await this.environments(tenant)).includes(own)) return null;
    return this.of(tenant, environment);
  }

  /** The environments of a tenant beside the one of all that knows none. */
  async environments(tenant: string | null): Promise<string[]> {
    return this.#environmentsOf(tenant, await this.#environments.stored(tenant));
  }

  /** Those that are made. */
  list(): readonly Tenant[] {
    return this.#ready;
  }

  /** Does what is due for every tenant until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const tenant of this.#ready) this.#doJobs(tenant);
    await aborted(signal);
    await Promise.all(this.#jobs);
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
    await Promise.allSettled([...this.#made.values()].map(({ tenant }) => tenant));
    await Promise.all(this.#ready.map((tenant) => tenant.close()));
  }

  #environmentsOf(tenant: string | null, stored: readonly string[]): string[] {
    const made = [...this.#made.values()].map(({ realm }) => realm).filter((realm) => realm.tenant === tenant);
    const names = [...stored, ...made.map(({ environment }) => environment)];
    return [...new Set(names)].filter((name) => name !== null).toSorted();
  }

  #begin(realm: Realm): Promise<Tenant> {
    const key = realmKey(realm);
    const making = this.#open(realm);
    this.#made.set(key, { realm, tenant: making });
    // One whose store cannot be opened now may be asked for again.
    making.catch(() => this.#made.delete(key));
    return making;
  }

  async #open(realm: Realm): Promise<Tenant> {
    const name = nameOf(realm);
    const tenant = await this.#make(realm, this).catch((error: unknown) => {
      if (name === null || error instanceof ProtocolError) throw error;
      this.#failed(name, error, !this.#broken.has(name));
      this.#broken.add(name);
      // Where its store is and what is wrong there is for who runs the directory.
      const message = `Cannot serve the ${name}: what it keeps cannot be opened; the directory's log says why`;
      throw new ProtocolError("unavailable", message, { cause: error });
    });
    if (name !== null) this.#broken.delete(name);
    this.#ready.push(tenant);
    if (this.#changed !== null) tenant.configure(this.#changed);
    this.#doJobs(tenant);
    this.#environments.opened(realm, tenant);
    return tenant;
  }

  #doJobs(tenant: Tenant): void {
    if (this.#signal !== null) this.#jobs.push(tenant.doJobs(this.#signal));
  }
}

/** In words; null for the table of those who belong to no tenant and know no environments. */
function nameOf({ tenant, environment }: Realm): string | null {
  const parts = [
    ...(environment === null ? [] : [`environment ${environment}`]),
    ...(tenant === null ? [] : [`tenant ${tenant}`]),
  ];
  return parts.length === 0 ? null : parts.join(" of the ");
}
