import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import type { Publisher } from "../feed/publisher.ts";
import type { Moment } from "../model/moment.ts";
import type { StoredRegistration } from "../model/records.ts";
import type { Registry } from "../registry/registry.ts";
import type { Store } from "../store/contract.ts";
import type { MissingReplica, SeenReplica } from "../store/replication.ts";

/** Sees to it that what is registered here outlives this directory, and is known to all others on the same store. */
export interface Replicator {
  /** Whether this directory knows what the others see. While it does not, it ends nothing and decides nothing. */
  readonly isInformed: boolean;
  /** Takes what the store had at the start, and from now on what other directories write. */
  begin(stored: readonly StoredRegistration[], moment: Moment): void;
  /** What is registered here may have changed: it is saved soon, though nobody waits for it. */
  soon(): void;
  /**
   * Resolves when all that was said so far is known after a restart, and to the other directories. Also when the store
   * takes nothing, as then nobody should wait for it. Never for what is said after the end: who is not answered says it
   * again to the next directory.
   */
  saved(): Promise<void>;
  /** Does what is due: saves what waits, and looks whether a store that was away has come back. */
  run(moment: Moment): void | Promise<void>;
  /** Whether a Watson is connected to another directory and alive there. */
  isAliveAt(replica: string, watson: string): Promise<boolean>;
  /** The directories on the same store, this one first; empty where it is the only one that can be. */
  replicas(): readonly SeenReplica[];
  /** The directories that were there within the last hour, and are not now. */
  missing(): readonly MissingReplica[];
  /**
   * Saves what is left to save, and no more after that: the Watsons that are about to lose their connection here are on
   * their way to another directory, and to call them lost would only make their instances flicker.
   */
  end(): Promise<void>;
}

/** The Watsons that are connected here, as far as other directories are concerned with them. */
export interface ConnectedWatsons {
  /** Whether a Watson is connected here and alive. */
  isAlive(id: string): Promise<boolean>;
  /** Makes a Watson connect again and state its set. */
  restate(id: string, reason: string): void;
}

/** What both replicators need. */
export interface ReplicatorDeps {
  readonly registry: Registry;
  readonly store: Pick<Store, "outage">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a replicator among peers needs beyond that. */
export interface PeerReplicatorDeps extends ReplicatorDeps {
  readonly publisher: Pick<Publisher, "touch">;
  readonly watsons: ConnectedWatsons;
  /** What is wrong with the table and its store. */
  readonly board: Pick<ProblemBoard, "set">;
}
