import { ProtocolError, type ReportedProblem } from "@datawire/protocol";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import type { Telemetry } from "@datawire/telemetry";
import type { SignIn } from "../access/open-access.ts";
import type { TokenService } from "../access/token-service.ts";
import type { Counters } from "../stats/counters.ts";
import type { RecentTraffic } from "../stats/traffic.ts";
import type { Streams } from "../live/streams.ts";
import type { Faults } from "../problems/faults.ts";
import type { State } from "../registry/state.ts";
import type { ChangeExecutor } from "../changes/change-executor.ts";
import type { ClientReport } from "../link/clients/connected-clients.ts";
import type { SessionRegistry } from "../link/clients/session-registry.ts";
import type { Publisher } from "../feed/publisher.ts";
import type { Originals } from "../mdk/originals.ts";
import type { Judge } from "../rollouts/judge.ts";
import type { Logs } from "../traces/logs.ts";
import type { PeerTraces } from "./peer-traces.ts";
import type { Store } from "../store/contract.ts";
import type { MissingReplica, SeenReplica } from "../store/replication.ts";

/** What the endpoints answer from beyond the table that they are for. */
export interface Surroundings {
  readonly store: Store;
  readonly tokens: TokenService;
  readonly signIn: SignIn;
  /** Traces and logs, those of all tenants. */
  readonly telemetry: Telemetry;
  /** What the other directories have of them. */
  readonly peerTraces: PeerTraces;
  /** The directory's own address, `//host/directory`. */
  readonly address: string;
  readonly startedMs: number;
  /** What an operator should know of the directory's own settings. */
  readonly warnings: readonly string[];
  /** What else is wrong with this directory, beyond its own table. */
  problems(): readonly ReportedProblem[];
  /** The tables of tenants, for those who may see all: a tenant sees none. */
  readonly tenants: TenantTables;
  /** The routers that serve all tenants, of which each has a part; null for those that share no routers with others. */
  readonly shared: SharedRouters | null;
  /** What the tenant's sessions have logged, in whichever environment. */
  readonly logs: Logs;
  /** The clients of the original MDK; null where there never was one, and where they are told of elsewhere. */
  originals(): Pick<Originals, "reports" | "relay"> | null;
}

/** Where the tables of tenants and of environments are found, by what `formatRealm` calls them. */
export interface TenantTables {
  /** All that have a table. */
  list(): Promise<readonly string[]>;
  of(name: string): Promise<{ readonly executor: ChangeExecutor; readonly store: Store }>;
}

/** Routers that follow the table of nobody, and so have the addresses of every tenant. */
export interface SharedRouters {
  /** Whose part of them is shown. */
  readonly tenant: string;
  clients(): Promise<readonly ClientReport[]>;
}

/** For a tenant, which sees none of the others. */
export const noTenants: TenantTables = {
  list: async () => [],
  of: (name) => Promise.reject(new ProtocolError("not_found", `Cannot find the tenant ${name}: there are none here`)),
};

/** The other directories on the same store. */
interface Peers {
  /** Those that are there, this one first; empty where it is the only one that can be. */
  replicas(): readonly SeenReplica[];
  /** Those that were there within the last hour. */
  missing(): readonly MissingReplica[];
}

/** What the endpoints answer from. */
export interface ApiContext extends Surroundings {
  readonly state: State;
  readonly executor: ChangeExecutor;
  readonly links: SessionRegistry;
  readonly publisher: Publisher;
  readonly counters: Counters;
  readonly traffic: RecentTraffic;
  /** Those who follow what happens. */
  readonly streams: Streams;
  readonly peers: Peers;
  readonly faults: Faults;
  /** Who judges the rollouts that are started and commanded here. */
  readonly judge: Pick<Judge, "id" | "unwatched" | "silent">;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is wrong with the table and its store. */
  readonly board: ProblemBoard;
}

/** The table that an answer comes from. */
export function stamp({ publisher }: Pick<ApiContext, "publisher">): { epoch: string; revision: number } {
  publisher.flush();
  return { epoch: publisher.log.epoch, revision: publisher.log.revision };
}
