import type { Balance } from "@datawire/protocol";
import type { Holder } from "@datawire/routing";
import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { type Placement, placeDefault, placeInstance, type PlacementContext } from "./placement.ts";
import { NO_SESSIONS, planSessions, type SessionIds, type SessionPlan, type SessionScope } from "./sessions.ts";

/** What decides where the sessions of a service may live. */
export interface SessionScopesConfig {
  readonly view: ServiceView;
  readonly balance: Balance;
  readonly table: CatalogReader;
  readonly context: PlacementContext & { readonly sessionIds: SessionIds };
  /** How another service balances. */
  readonly balanceOf: (view: ServiceView) => Balance;
}

/** Gathers, while one service is planned, for which of its requests sessions are looked for, and where. */
export class SessionScopes {
  readonly #config: SessionScopesConfig;
  readonly #name: string;
  readonly #scopes: SessionScope[] = [];
  /** The cookie of the service's own policy; null where at most others keep sessions. */
  readonly cookie: string | null;

  constructor(config: SessionScopesConfig) {
    this.#config = config;
    this.#name = config.view.service.name;
    this.cookie = config.balance.kind === "cookie" ? config.balance.name : null;
  }

  get isEmpty(): boolean {
    return this.#scopes.length === 0;
  }

  /** Takes the requests that no condition chooses a target for; there is nothing to find where no session can live. */
  addOwn(holders: readonly Holder[]): void {
    if (this.cookie === null || holders.length === 0) return;
    this.#scopes.push({ scope: this.#name, keeper: this.#name, cookie: this.cookie, holders });
  }

  add(scope: SessionScope): void {
    this.#scopes.push(scope);
  }

  /**
   * Whose cookie is looked at within a condition or a share: that of this service, or else of the one that is entered
   * there; null where neither keeps sessions.
   */
  keeperOf(holders: readonly Holder[]): Omit<SessionScope, "scope"> | null {
    const { table, balanceOf } = this.#config;
    if (this.cookie !== null) return { keeper: this.#name, cookie: this.cookie, holders };
    for (const service of new Set(holders.map(serviceOf))) {
      const view = service === this.#name ? null : table.service(service);
      const balance = view === null ? null : balanceOf(view);
      if (balance?.kind !== "cookie") continue;
      return { keeper: service, cookie: balance.name, holders: holders.filter((one) => serviceOf(one) === service) };
    }
    return null;
  }

  /** @param reached the services that routes lead to. */
  plan(reached: Iterable<string>): SessionPlan {
    const { cookie } = this;
    if (cookie === null && this.isEmpty) return NO_SESSIONS;
    return planSessions(this.#scopes, {
      cookie,
      pinned: new Set(cookie === null ? [] : [this.#name, ...reached]),
      ids: this.#config.context.sessionIds,
      place: (holder) => this.#place(holder),
    });
  }

  #place(holder: Holder): Placement | null {
    const { view: own, table, context } = this.#config;
    const service = serviceOf(holder);
    const view = service === this.#name ? own : table.service(service);
    if (view === null) return null;
    const placed =
      holder.kind === "url" ? placeDefault(view, holder.url, context) : placeInstance(view, holder.instance, context);
    return placed.ok ? placed.placement : null;
  }
}

function serviceOf(holder: Holder): string {
  return holder.kind === "url" ? holder.service : holder.instance.service;
}
