import type { SharedNews } from "../registry/peer-updates.ts";
import type { Unconfirmed, WatsonChange } from "../registry/dirty-set.ts";

/** A directory that uses the store, from its start to its end. */
export interface Replica {
  readonly id: string;
  /** `//host/directory`, and where it listens. */
  readonly address: string;
  readonly version: string;
  readonly startedMs: number;
}

/** A directory that has ended, or that cannot reach the store any more: nobody knows which. */
export interface MissingReplica {
  readonly address: string;
  readonly sinceMs: number;
}

/** Takes what others have written. */
export interface SharedListener {
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
export interface SharedStore {
  /** Names this directory from its start to its end. */
  readonly replica: string;
  /**
   * Whether no other directory has been there for long enough to know who is out of sight, so that whatever was seen by
   * one that is gone may be on its way back.
   */
  readonly alone: boolean;
  /** Begins to follow; must be called once, after `load`. */
  follow(listener: SharedListener): void;
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
  /** Those that were there within the last hour, and nobody is at their address now. */
  missing(): readonly MissingReplica[];
}
