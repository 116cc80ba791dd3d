import type { Clock, Chance, Logger, ProblemBoard } from "@datawire/runtime";
import type { Telemetry } from "@datawire/telemetry";
import type { Access } from "../access/open-access.ts";
import type { PeerTraces } from "../api/peer-traces.ts";
import { noTenants, type Surroundings, type TenantTables } from "../api/context.ts";
import type { StateConfig } from "../registry/state.ts";
import type { Store } from "../store/contract.ts";
import { createNothingStore } from "../store/nothing.ts";
import { formatRealm, listRealms, parseRealm, type Realm } from "../store/realm.ts";
import type { Metrics } from "./metrics.ts";
import type { TenantGroups } from "./tenant-groups.ts";
import { openTenant, type Tenant } from "./tenant.ts";
import type { Tenants } from "./tenants.ts";

interface TenantOpenerConfig extends StateConfig {
  readonly address: string;
  readonly warnings: readonly string[];
}

interface TenantOpenerDeps {
  readonly access: Access;
  readonly groups: TenantGroups;
  readonly telemetry: Telemetry;
  readonly peerTraces: PeerTraces;
  /** The whole of the directory's own, for backups. */
  readonly whole: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chance: Chance;
  readonly metrics: Metrics;
  readonly board: ProblemBoard;
}

/** Of a tenant, which sees none of the others: its environments. */
function ownEnvironments(tenant: string | null, tenants: Tenants): TenantTables {
  return {
    list: async () =>
      (await tenants.environments(tenant)).map((name) => formatRealm({ tenant: null, environment: name })),
    async of(name) {
      const { tenant: other, environment } = parseRealm(name);
      if (other !== null) return noTenants.of(name);
      return tenants.of(tenant, environment);
    },
  };
}

/** Opens the tables of tenants and of their environments. */
export class TenantOpener {
  readonly #config: TenantOpenerConfig;
  readonly #deps: TenantOpenerDeps;
  readonly #startedMs: number;
  readonly #nothing = new Map<string | null, Promise<Tenant>>();

  constructor(config: TenantOpenerConfig, deps: TenantOpenerDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
  }

  /** Opens a table with a store of its own, among all others. */
  async open(realm: Realm, tenants: Tenants): Promise<Tenant> {
    const { access, groups, whole, log, board } = this.#deps;
    const { tenant, environment } = realm;
    const store = await access.storeOf(realm);
    if (tenant === null && environment === null)
      return this.#open(store, log, {
        ...this.#surroundings(tenant, whole),
        // They say where it listens and who is let in, which is nothing of a tenant's.
        warnings: this.#config.warnings,
        problems: () => board.list(),
        tenants: {
          list: () => listRealms({ listTenants: access.tenants, listEnvironments: access.environments }),
          of(name) {
            const other = parseRealm(name);
            return tenants.of(other.tenant, other.environment);
          },
        },
        originals: () => groups.of(tenant).originals,
      });
    const names = { ...(tenant !== null && { tenant }), ...(environment !== null && { environment }) };
    try {
      return await this.#open(store, log.child(names), {
        ...this.#surroundings(tenant, store),
        ...(environment === null && {
          originals: () => groups.of(tenant).originals,
          tenants: ownEnvironments(tenant, tenants),
          shared: tenant === null ? null : { tenant, clients: async () => (await tenants.of(null)).links.clients() },
        }),
      });
    } catch (error) {
      // It may be asked for again, and a store is open once.
      await store.close();
      throw error;
    }
  }

  /** The table of an environment of a tenant that is not there. */
  nothing(tenant: string | null): Promise<Tenant> {
    const store = createNothingStore();
    const known = this.#nothing.get(tenant) ?? this.#openNothing(tenant, store);
    this.#nothing.set(tenant, known);
    return known;
  }

  async #openNothing(tenant: string | null, store: Store): Promise<Tenant> {
    const opened = await this.#open(store, this.#deps.log, this.#surroundings(tenant, store));
    // Nobody comes back to it.
    opened.publisher.warm();
    return opened;
  }

  #open(store: Store, log: Logger, surroundings: Surroundings): Promise<Tenant> {
    const { clock, chance, metrics } = this.#deps;
    return openTenant(this.#config, { store, clock, log, chance, metrics, surroundings });
  }

  #surroundings(tenant: string | null, store: Store): Surroundings {
    const { access, groups, telemetry, peerTraces } = this.#deps;
    return {
      store,
      telemetry,
      peerTraces,
      tokens: access.tokens,
      signIn: access.signIn,
      address: this.#config.address,
      startedMs: this.#startedMs,
      warnings: [],
      problems: () => [],
      tenants: noTenants,
      shared: null,
      logs: groups.of(tenant).logs,
      originals: () => null,
    };
  }
}
