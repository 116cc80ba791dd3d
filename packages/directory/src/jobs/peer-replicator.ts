import { type Moment, momentOf } from "../model/moment.ts";
import type { StoredRegistration } from "../model/records.ts";
import type { WatsonChange } from "../registry/dirty-set.ts";
import type { PeerUpdates } from "../registry/peer-updates.ts";
import type { MissingReplica, PeerReplication, SeenReplica } from "../store/replication.ts";
import type { PeerReplicatorDeps, Replicator } from "./replicator.ts";

/** What Watsons say within this time is written together. */
const SHARE_MS = 10;
/** What could not be written is tried again after this long. */
const RETRY_MS = 250;

/** Two directories that write of one Watson at once settle that with the next attempt. */
const FAILURES_TOLD = 4;

/** Tells the other directories on the same store what the Watsons here say, and takes what theirs say. */
export class PeerReplicator implements Replicator {
  readonly #replication: PeerReplication;
  readonly #deps: PeerReplicatorDeps;
  readonly #peerUpdates: PeerUpdates;
  #cancelTimer: (() => void) | null = null;
  #saving: Promise<void> = Promise.resolve();
  /** Resolves with the end of the save that is to come; null when none is. */
  #next: PromiseWithResolvers<void> | null = null;
  #wasAway = false;
  #ended = false;
  #failures = 0;

  constructor(replication: PeerReplication, deps: PeerReplicatorDeps) {
    this.#replication = replication;
    this.#deps = deps;
    this.#peerUpdates = deps.registry.peerUpdates(replication.replica);
  }

  get isInformed(): boolean {
    return this.#deps.store.outage === null;
  }

  begin(stored: readonly StoredRegistration[], moment: Moment): void {
    const { registry, publisher, watsons, clock, log } = this.#deps;
    registry.restore(stored, { moment, presumed: this.#replication.alone });
    this.#replication.follow({
      news: (news) => {
        const contested = this.#peerUpdates.take(news, momentOf(clock));
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

  isAliveAt(replica: string, watson: string): Promise<boolean> {
    return this.#replication.challenge(watson, replica);
  }

  replicas(): SeenReplica[] {
    return this.#replication.replicas().map((one) => ({ ...one, self: one.id === this.#replication.replica }));
  }

  missing(): readonly MissingReplica[] {
    return this.#replication.missing();
  }

  soon(): void {
    this.#soon(SHARE_MS);
  }

  async saved(): Promise<void> {
    if (this.#ended && this.#deps.registry.dirty.size > 0) await new Promise(() => {});
    if (this.#deps.store.outage !== null) return;
    await (this.#next?.promise ?? this.#saving);
  }

  /** Nobody could be seen while the store was away, so that every lease starts anew when it has come back. */
  run(moment: Moment): void {
    const away = this.#deps.store.outage !== null;
    if (this.#wasAway && !away) this.#peerUpdates.restartLeases(moment);
    this.#wasAway = away;
    this.soon();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#save();
  }

  #soon(delayMs: number): void {
    const { registry, clock } = this.#deps;
    if (this.#ended || this.#cancelTimer !== null || registry.dirty.size === 0) return;
    this.#next = Promise.withResolvers();
    this.#cancelTimer = clock.setTimer(delayMs, () => void this.#save());
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
    const { registry, store } = this.#deps;
    if (store.outage !== null) return;
    const { dirty } = registry;
    const changes = dirty.takeByWatson(this.#replication.replica);
    if (changes.length > 0) await this.#write(changes);
    await this.#recall();
  }

  async #write(changes: readonly WatsonChange[]): Promise<void> {
    const { registry, log } = this.#deps;
    const { dirty } = registry;
    try {
      const failed = await this.#replication.save(changes);
      dirty.restoreByWatson(failed);
      if (failed.length > 0) this.#soon(RETRY_MS);
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
    const { registry, log } = this.#deps;
    const unconfirmed = registry.dirty.takeUnconfirmed();
    const { instances, watsons } = unconfirmed;
    if (instances.length + watsons.length === 0) return;
    try {
      await this.#replication.recall(unconfirmed);
    } catch (error) {
      log.warn("Registrations not read again yet", { error, instances: instances.length, watsons: watsons.length });
      registry.dirty.restoreUnconfirmed(unconfirmed);
      this.#soon(RETRY_MS);
    }
  }
}
