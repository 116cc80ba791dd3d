import { type Chance, type Clock, type Logger, ProblemBoard, systemChance } from "@datawire/runtime";
import type { ApiContext, Surroundings } from "../api/context.ts";
import { endpointsOf } from "../api/endpoints.ts";
import { createRouter, type Router } from "../api/router.ts";
import { Counters } from "../stats/counters.ts";
import { failedAt } from "../problems/failed-at.ts";
import { Faults } from "../problems/faults.ts";
import { State, type StateConfig } from "../registry/state.ts";
import { ChangeExecutor } from "../changes/change-executor.ts";
import { runHousekeeping } from "../jobs/housekeeping.ts";
import { SessionRegistry } from "../link/session-registry.ts";
import type { Metrics } from "./metrics.ts";
import { Publisher } from "../feed/publisher.ts";
import { Saving } from "../jobs/registration-saving.ts";
import { Replication } from "../jobs/replication.ts";
import type { Store } from "../store/contract.ts";

export interface TenantDeps {
  /** What its table and history are kept in. */
  readonly store: Store;
  /** Counts time in which the directory attended to its clients: leases and delays go by it. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the system's. */
  readonly chance?: Chance;
  readonly metrics: Pick<Metrics, "storing" | "published" | "refused" | "recorded">;
  /** What the endpoints answer from beyond the tenant's own. */
  readonly surroundings: Surroundings;
}

/** What may change while the directory runs. */
export type ChangeableConfig = Parameters<State["configure"]>[0];

/** Those who share a table: its state, who is connected to it, and what answers them. They see nothing of others. */
export interface Tenant {
  readonly state: State;
  readonly store: Store;
  readonly executor: ChangeExecutor;
  readonly links: SessionRegistry;
  readonly publisher: Publisher;
  readonly router: Router;
  /** Says that something about who is registered has changed. */
  registered(): void;
  /** Takes the settings that may change while the directory runs. */
  configure(settings: ChangeableConfig): void;
  /** Does what is due until the signal aborts. */
  keepHouse(signal: AbortSignal): Promise<void>;
  /**
   * Tells the other directories on the same store what they do not know yet, and subscribers nothing more: that all
   * Watsons are out of sight is not worth telling. To be called while clients are connected.
   */
  leave(): Promise<void>;
  /** Saves what is not saved yet; nobody may be connected any more. */
  close(): Promise<void>;
}

/** Puts the parts of one tenant together and loads what its store holds. */
export async function openTenant(config: StateConfig, deps: TenantDeps): Promise<Tenant> {
  const { store, clock, log, chance = systemChance, surroundings } = deps;
  const { storing, published, refused, recorded } = deps.metrics;
  const state = new State(config);
  const faults = new Faults();
  const failed = (what: string, error: unknown): void => faults.note(failedAt(what, error), clock.nowMs());
  const untold = (error: unknown): void => {
    log.error("A change cannot be told to subscribers", { error });
    failed("subscribers", error);
  };
  const publisher = new Publisher(state.writer, { clock, epoch: chance.id(), published, failed: untold });
  const board = new ProblemBoard();
  const changed = (): void => publisher.touch();
  const drained = (key: string): void => links.tellDraining(key);
  const executor = new ChangeExecutor({
    state,
    store,
    clock,
    log,
    chance,
    board,
    failed,
    changed,
    storing,
    recorded,
    drained,
  });
  await executor.load();
  await executor.makeSessionKey();

  const { shared } = store;
  const replication = shared === null ? null : new Replication({ state, store, shared, publisher, clock, log, board });
  const saving = shared === null ? new Saving({ state, store, clock, log }) : null;
  const counters = new Counters();
  const links: SessionRegistry = new SessionRegistry({
    state,
    executor,
    counters,
    publisher,
    others: replication,
    saved: () => (replication ?? saving)?.saved() ?? Promise.resolve(),
    clock,
    log,
    refused,
    faults,
  });
  replication?.begin(links);
  publisher.begin();
  const context: ApiContext = {
    state,
    executor,
    links,
    publisher,
    counters,
    faults,
    clock,
    log,
    board,
    ...surroundings,
  };
  return {
    state,
    store,
    executor,
    links,
    publisher,
    registered() {
      publisher.touch();
      replication?.soon();
    },
    router: createRouter(endpointsOf(context), { log, refused, failed }),
    keepHouse: (signal) =>
      runHousekeeping(
        { state, executor, publisher, store, replication, saving, faults, clock, log },
        { warmUpMs: config.leaseMs },
        signal,
      ),
    configure: (settings) => state.configure(settings),
    async leave() {
      publisher.close();
      await replication?.end();
    },
    async close() {
      await executor.settled();
      await saving?.save();
    },
  };
}
