import { type Chance, type Clock, type Logger, ProblemBoard, systemChance } from "@datawire/runtime";
import type { ApiContext, Surroundings } from "../api/context.ts";
import { endpointsOf } from "../api/endpoints.ts";
import { createRouter, type Router } from "../api/router.ts";
import { Streams } from "../live/streams.ts";
import { Counters } from "../stats/counters.ts";
import { StepCounts } from "../stats/step-counts.ts";
import { Judge } from "../rollouts/judge.ts";
import { createQuestions } from "../rollouts/questions.ts";
import { RecentTraffic } from "../stats/traffic.ts";
import { failedAt } from "../problems/failed-at.ts";
import { Faults } from "../problems/faults.ts";
import { State, type StateConfig } from "../registry/state.ts";
import { ChangeExecutor } from "../changes/change-executor.ts";
import { createJobs } from "../jobs/jobs.ts";
import type { Replicator } from "../jobs/replicator.ts";
import { createReplicator } from "../jobs/create-replicator.ts";
import { runJobs } from "../jobs/run-jobs.ts";
import { ConnectedClients } from "../link/clients/connected-clients.ts";
import { LinkFaults } from "../link/clients/link-faults.ts";
import { SessionRegistry } from "../link/clients/session-registry.ts";
import { isCaller } from "../model/callers.ts";
import { momentOf } from "../model/moment.ts";
import type { Metrics } from "./metrics.ts";
import { Publisher } from "../feed/publisher.ts";
import type { Store } from "../store/contract.ts";

/** What the table of one tenant works with. */
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
  /** The directories on the same store. */
  readonly peers: Pick<Replicator, "replicas" | "missing">;
  /** Says that something about who is registered has changed. */
  registered(): void;
  /** Takes the settings that may change while the directory runs. */
  configure(settings: ChangeableConfig): void;
  /** Does what is due until the signal aborts. */
  doJobs(signal: AbortSignal): Promise<void>;
  /**
   * Saves what is not saved yet, and tells subscribers nothing more: that all Watsons are out of sight is not worth
   * telling. To be called while clients are connected.
   */
  leave(): Promise<void>;
  /** Resolves when all that was asked for is done; nobody may be connected any more. */
  close(): Promise<void>;
}

/** Puts the parts of one tenant together, each from those before it, and loads what its store holds. */
export async function openTenant(config: StateConfig, deps: TenantDeps): Promise<Tenant> {
  const { store, clock, log, chance = systemChance, surroundings } = deps;
  const { storing, published, refused, recorded } = deps.metrics;
  const faults = new Faults();
  const board = new ProblemBoard();
  const failed = (what: string, error: unknown): void => faults.note(failedAt(what, error), momentOf(clock));
  const counters = new Counters();
  const stepCounts = new StepCounts();
  const state = new State(config);
  const { registry } = state;
  const { publisher, streams } = openFeeds({ state, clock, chance, log, published, failed });
  const clients = new ConnectedClients();
  const replicator = createReplicator({ registry, store, publisher, watsons: clients, clock, log, board });
  const executor = new ChangeExecutor({
    state,
    store,
    clock,
    log,
    chance,
    board,
    storing,
    observer: {
      changed: () => publisher.touch(),
      drained: (key) => clients.tellDraining(key, registry),
      recorded() {
        recorded();
        streams.touch();
      },
      failed,
    },
  });
  const links = new SessionRegistry({
    state,
    executor,
    counters,
    stepCounts,
    publisher,
    logs: surroundings.logs,
    clients,
    replication: replicator,
    clock,
    log,
    faults: new LinkFaults({ refused, faults, clock, log }),
  });
  const judge = createJudge({ state, store, executor, stepCounts, publisher, clients, replicator });
  const context: ApiContext = {
    state,
    executor,
    links,
    publisher,
    counters,
    traffic: new RecentTraffic(counters),
    streams,
    faults,
    judge,
    peers: replicator,
    clock,
    log,
    board,
    ...surroundings,
  };
  const router = createRouter(endpointsOf(context), { log, refused, failed });

  const { registrations, ...records } = await store.load();
  executor.begin(records);
  await executor.makeSessionKey();
  replicator.begin(registrations, momentOf(clock));
  publisher.begin();
  return {
    state,
    peers: replicator,
    store,
    executor,
    links,
    publisher,
    router,
    registered() {
      publisher.touch();
      replicator.soon();
    },
    doJobs: (signal) => {
      const jobs = createJobs(
        { warmUpMs: config.leaseMs },
        { state, executor, publisher, store, replicator, faults, judge, clock, log },
      );
      return runJobs(jobs, { faults, clock, log }, signal);
    },
    configure: (settings) => state.configure(settings),
    async leave() {
      publisher.close();
      streams.close();
      await replicator.end();
    },
    close: () => executor.settled(),
  };
}

interface FeedDeps extends Pick<TenantDeps, "clock" | "log"> {
  readonly state: State;
  readonly chance: Chance;
  readonly published: Metrics["published"];
  /** Told what could not be done, for `dw status`. */
  readonly failed: (what: string, error: unknown) => void;
}

/** What the table is told through: to subscribers of the link, and to those who follow it over HTTP. */
function openFeeds({ state, clock, chance, log, published, failed }: FeedDeps): {
  readonly publisher: Publisher;
  readonly streams: Streams;
} {
  const publisher = new Publisher(state.writer, {
    clock,
    epoch: chance.id(),
    published,
    failed(error) {
      log.error("A change cannot be told to subscribers", { error });
      failed("subscribers", error);
    },
  });
  const streams = new Streams({
    clock,
    publisher,
    failed(error) {
      log.error("What happens cannot be told to those who follow it", { error });
      failed("streams", error);
    },
  });
  return { publisher, streams };
}

interface JudgeParts {
  readonly state: State;
  readonly store: Store;
  readonly executor: ChangeExecutor;
  readonly stepCounts: StepCounts;
  readonly publisher: Publisher;
  readonly clients: ConnectedClients;
  readonly replicator: Replicator;
}

/** What judges the rollouts of a table; of several directories on a store, one judges for all. */
function createJudge({ state, store, executor, stepCounts, publisher, clients, replicator }: JudgeParts): Judge {
  const { replication } = store;
  const judged = replication.kind === "peers" ? { id: replication.replica, alone: false } : { id: "own", alone: true };
  return new Judge(judged, {
    state,
    executor,
    counts: stepCounts,
    position() {
      publisher.flush();
      return { epoch: publisher.log.epoch, revision: publisher.log.revision };
    },
    questions: createQuestions(),
    watchers: () => clients.list().filter(({ kind }) => isCaller(kind) || kind === "router").length,
    replicas: () => replicator.replicas().map(({ id }) => id),
  });
}
