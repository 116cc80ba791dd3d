import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import { type Moment, momentOf } from "../model/moment.ts";
import type { PeerUpdates } from "../registry/peer-updates.ts";
import type { State } from "../registry/state.ts";
import type { WatsonChange } from "../registry/dirty-set.ts";
import type { Publisher } from "../feed/publisher.ts";
import type { Store } from "../store/contract.ts";
import type { SharedStore } from "../store/shared.ts";

/** The Watsons that are connected here, as far as other directories are concerned with them. */
interface ConnectedWatsons {
  /** Whether a Watson is connected here and alive. */
  isAlive(id: string): Promise<boolean>;
  /** Makes a Watson connect again and state its set. */
  restate(id: string, reason: string): void;
}

interface ReplicationDeps {
  readonly state: State;
  readonly store: Store;
  readonly shared: SharedStore;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is wrong with the table and its store. */
  readonly board: Pick<ProblemBoard, "set">;
}

/** What Watsons say within this time is written together. */
const SHARE_MS = 10;
/** What could not be written is tried again after this long. */
const RETRY_MS = 250;

/** Two directories that write of one Watson at once settle that with the next attempt. */
const FAILURES_TOLD = 4;

/** Tells the other directories on the same store what the Watsons here say, and takes what theirs say. */
export class Replication {
  readonly #deps: ReplicationDeps;
  readonly #peerUpdates: PeerUpdates;
  #cancelTimer: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();
  /** Resolves with the end of the save that is to come; null when none is. */
  #next: PromiseWithResolvers<void> | null = null;
  #wasAway = false;
  #ended = false;
  #failures = 0;

  constructor(deps: ReplicationDeps) {
    this.#deps = deps;
    this.#peerUpdates = deps.state.registry.peerUpdates(deps.shared.replica);
  }

  /** Takes what is there, and from now on what others write. */
  begin(watsons: ConnectedWatsons): void {
    const { shared, publisher, log } = this.#deps;
    shared.follow({
      news: (news) => {
        const contested = this.#peerUpdates.take(news, momentOf(this.#deps.clock));
        publisher.touch();
        for (const id of contested) {
          log.info("Watson has to state its set again", { watson: id });
          watsons.restate(id, "another directory has heard otherwise");
        }
        this.soon();
      },
      challenged: (id) => watsons.isAlive(id),
    });
  }

  /** Asks the directory that sees a Watson whether it is alive there. */
  challenge(watson: string, replica: string): Promise<boolean> {
    return this.#deps.shared.challenge(watson, replica);
  }

  /** Something may have to be written. */
  soon(delayMs: number = SHARE_MS): void {
    const { state, clock } = this.#deps;
    if (this.#ended || this.#cancelTimer !== null || state.registry.dirty.size === 0) return;
    this.#next = Promise.withResolvers();
    this.#cancelTimer = clock.setTimer(delayMs, () => void this.#save());
  }

  /**
   * Resolves when the other directories, and this one after a restart, know all that was said so far. Also when the
   * store is away, as then nobody should wait for it. Never for what is said after the end: who is not answered says it
   * again to the next directory.
   */
  async saved(): Promise<void> {
    if (this.#ended && this.#deps.state.registry.dirty.size > 0) await new Promise(() => {});
    if (this.#deps.store.outage !== null) return;
    await (this.#next?.promise ?? this.#saving);
  }

  /** Looks whether the store has come back: nobody could be seen while it was away, so every lease starts anew. */
  tick(moment: Moment): void {
    const away = this.#deps.store.outage !== null;
    if (this.#wasAway && !away) this.#peerUpdates.restartLeases(moment);
    this.#wasAway = away;
    this.soon();
  }

  /**
   * Writes what is left to write, and no more after that: the Watsons that are about to lose their connection here are
   * on their way to another directory, and to call them lost would only make their instances flicker.
   */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#save();
  }

  #save(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const next = this.#next;
    this.#next = null;
    this.#saving = this.#saving
      .then(() => this.#saveNow())
      .catch((error: unknown) => this.#deps.log.error("Registrations not shared, trying again", { error }))
      .finally(() => next?.resolve());
    return this.#saving;
  }

  async #saveNow(): Promise<void> {
    const { state, store, shared } = this.#deps;
    if (store.outage !== null) return;
    const { dirty } = state.registry;
    const changes = dirty.takeByWatson(shared.replica);
    if (changes.length > 0) await this.#write(changes);
    await this.#recall();
  }

  async #write(changes: readonly WatsonChange[]): Promise<void> {
    const { state, shared, log } = this.#deps;
    const { dirty } = state.registry;
    try {
      const failed = await shared.save(changes);
      dirty.restoreByWatson(failed);
      if (failed.length > 0) this.soon(RETRY_MS);
      this.#tell(failed.length);
    } catch (error) {
      log.error("Registrations not shared", { error });
      dirty.restoreByWatson(changes);
      this.#tell(changes.length);
    }
  }

  /** Tells of Watsons whose word does not reach the others, once that is no race between directories any more. */
  #tell(failed: number): void {
    this.#failures = failed === 0 ? 0 : this.#failures + 1;
    if (failed === 0) return this.#deps.board.set("sharing", []);
    if (this.#failures < FAILURES_TOLD || this.#deps.store.outage !== null) return;
    const message = `what ${failed} Watsons say is not written to etcd, and the other directories do not know it`;
    const remedy = "this directory's log has the reason; see that etcd takes writes (`etcdctl alarm list`)";
    this.#deps.board.set("sharing", [{ subject: "etcd", message, severity: "error", remedy }]);
  }

  async #recall(): Promise<void> {
    const { state, shared, log } = this.#deps;
    const unconfirmed = state.registry.dirty.takeUnconfirmed();
    const { instances, watsons } = unconfirmed;
    if (instances.length + watsons.length === 0) return;
    try {
      await shared.recall(unconfirmed);
    } catch (error) {
      log.warn("Registrations not read again yet", { error, instances: instances.length, watsons: watsons.length });
      state.registry.dirty.restoreUnconfirmed(unconfirmed);
      this.soon(RETRY_MS);
    }
  }
}
