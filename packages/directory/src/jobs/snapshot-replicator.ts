import type { Moment } from "../model/moment.ts";
import type { StoredRegistration } from "../model/records.ts";
import type { SnapshotReplication } from "../store/replication.ts";
import type { Replicator, ReplicatorDeps } from "./replicator.ts";

/** A change that no client waits for is saved within this time. */
const SAVE_MS = 1_000;
/** After a store that could not be written to. */
const RETRY_MS = 5_000;

/**
 * After each save there is a rest of so many times as long as it took, so that a slow disk under many changes takes a
 * small part of the time only. What is said meanwhile is saved together.
 */
const REST_FACTOR = 9;
/** Nobody waits longer than this for the answer to what little has changed since a large save. */
const REST_MS_MAX = 1_000;

/** Saves what Watsons say in a store of this directory alone, for its next start. */
export class SnapshotReplicator implements Replicator {
  readonly #replication: SnapshotReplication;
  readonly #deps: ReplicatorDeps;
  #running: Promise<unknown> = Promise.resolve();
  /** The save that is to come; null when none is. */
  #next: Promise<void> | null = null;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  /** When changes that no client waits for are saved; null when there are none. Monotonic. */
  #dueMs: number | null = null;
  #toldOutage = false;
  #ended = false;

  constructor(replication: SnapshotReplication, deps: ReplicatorDeps) {
    this.#replication = replication;
    this.#deps = deps;
  }

  /** Nobody else can write. */
  readonly isInformed = true;

  begin(stored: readonly StoredRegistration[], moment: Moment): void {
    this.#deps.registry.restore(stored, { moment, presumed: true });
  }

  soon(): void {
    this.#dueMs ??= this.#deps.clock.monotonicMs() + SAVE_MS;
  }

  async saved(): Promise<void> {
    const { registry, store, clock } = this.#deps;
    if (this.#ended && registry.dirty.size > 0) await new Promise(() => {});
    if (store.outage !== null) return;
    if (registry.dirty.size === 0) return void (await this.#running);
    this.#next ??= clock.sleep(Math.max(0, this.#restUntilMs - clock.monotonicMs())).then(async () => {
      this.#next = null;
      await this.save();
    });
    await this.#next;
  }

  /** Saves what is due, and tells when the store cannot be written, and when it can again. */
  async run({ monotonicMs }: Moment): Promise<void> {
    const { registry, store, clock } = this.#deps;
    this.#tellOutage();
    if (registry.dirty.size > 0 || store.outage !== null) this.soon();
    if (this.#dueMs === null || monotonicMs < this.#dueMs) return;
    this.#dueMs = null;
    if (!(await this.save())) this.#dueMs = clock.monotonicMs() + RETRY_MS;
  }

  isAliveAt(): Promise<boolean> {
    return Promise.resolve(false); // there is no other directory
  }

  replicas(): [] {
    return [];
  }

  missing(): [] {
    return [];
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.save();
  }

  /**
   * Saves what changed, and finds out whether a store that could not be written can be again. What cannot be saved now
   * waits for the next call.
   * @returns whether all is saved.
   */
  save(): Promise<boolean> {
    const saving = this.#running.then(() => this.#saveNow());
    this.#running = saving.catch(() => {}); // whoever asked is told; the next one is not concerned
    return saving;
  }

  async #saveNow(): Promise<boolean> {
    const { registry, store, clock, log } = this.#deps;
    const changes = registry.dirty.take();
    const { outage } = store;
    if (outage === null && changes.stored.length + changes.gone.length === 0) return true;
    const startMs = clock.monotonicMs();
    try {
      await this.#replication.save(changes);
      return true;
    } catch (error) {
      registry.dirty.restore(changes);
      if (outage === null) log.error("Registrations not saved, trying again", { error });
      return false;
    } finally {
      const endMs = clock.monotonicMs();
      this.#restUntilMs = endMs + Math.min(REST_MS_MAX, (endMs - startMs) * REST_FACTOR);
    }
  }

  #tellOutage(): void {
    const { store, log } = this.#deps;
    const { outage } = store;
    if ((outage !== null) === this.#toldOutage) return;
    this.#toldOutage = outage !== null;
    if (outage === null) log.info("Store can be written again");
    else log.error("Store cannot be written, taking no changes", { reason: outage.reason });
  }
}
