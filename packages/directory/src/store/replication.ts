import type { SharedNews } from "../registry/peer-updates.ts";
import type { RegistrationChanges, Unconfirmed, WatsonChange } from "../registry/dirty-set.ts";

/** Where registrations are kept: by one directory alone, or by all directories on one store together. */
export type RegistrationReplication = SnapshotReplication | PeerReplication;

/** The registrations as one directory knows them, for its own next start. */
export interface SnapshotReplication {
  readonly kind: "snapshot";
  /**
   * Saves what changed; what was not saved is lost with the process, and its Watsons state it again. Also tries whether
   * an outage is over.
   * @throws StoreError `unavailable` when some may not have been saved; saving them all again is no harm.
   */
  save(changes: RegistrationChanges): Promise<void>;
}

/** A directory that uses the store, from its start to its end. */
export interface Replica {
  readonly id: string;
  /** `//host/directory`, and where it listens. */
  readonly address: string;
  readonly version: string;
  readonly startedMs: number;
}

/** A directory on the same store, as one of them sees it. */
export interface SeenReplica extends Replica {
  /** Whether it is this one. */
  readonly self: boolean;
}

/** A directory that has ended or cannot reach the store any more; the others cannot tell which. */
export interface MissingReplica {
  readonly address: string;
  readonly sinceMs: number;
}

/** Takes what others have written. */
export interface PeerListener {
  /** In the order of writing. The first call tells of all that is there. */
  news(news: SharedNews): void;
  /** Another directory has a Watson that says it is the one connected here: resolves to whether this one is alive. */
  challenged(watson: string): Promise<boolean>;
}

/**
 * Where directories on one store tell each other who is registered. Registrations belong to their Watsons: they stay
 * when a directory ends, and only the end of a Watson's lease or its own word removes them. A directory's presence is
 * what ends by itself: it says that the Watsons it had are out of sight, unless another directory sees them by then.
 */
export interface PeerReplication {
  readonly kind: "peers";
  /** Names this directory from its start to its end. */
  readonly replica: string;
  /**
   * Whether no other directory has been there for long enough to know who is out of sight, so that whatever was seen by
   * one that is gone may be on its way back.
   */
  readonly alone: boolean;
  /** Begins to follow; must be called once, after `load`. */
  follow(listener: PeerListener): void;
  /**
   * Writes what changed, the change of each Watson apart: it holds as a whole, or not at all where another directory
   * has written of that Watson or of one of its instances since.
   * @returns the changes that were not, or may not have been, written. What the others wrote instead comes as news.
   */
  save(changes: readonly WatsonChange[]): Promise<readonly WatsonChange[]>;
  /**
   * Tells again, as news, what the store has of these.
   * @throws StoreError `unavailable`
   */
  recall(unconfirmed: Unconfirmed): Promise<void>;
  /** Asks another directory whether a Watson is connected to it and alive; false when it does not say so at once. */
  challenge(watson: string, replica: string): Promise<boolean>;
  /** The directories that are there, this one included. */
  replicas(): readonly Replica[];
  /** The directories that were there within the last hour, where no other one has their address now. */
  missing(): readonly MissingReplica[];
}
