import type { Clock, Logger } from "@datawire/runtime";
import type { State } from "../registry/state.ts";
import type { Store } from "../store/contract.ts";

interface SavingDeps {
  readonly state: Pick<State, "registry">;
  readonly store: Pick<Store, "outage" | "saveRegistrations">;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * After each save there is a rest of so many times as long as it took, so that a slow disk under many changes takes a
 * small part of the time only. What is said meanwhile is saved together.
 */
const REST_FACTOR = 9;
/** Nobody waits longer than this for the answer to what little has changed since a large save. */
const REST_MS_MAX = 1_000;

/** Saves what Watsons say, in a store of this directory alone. */
export class Saving {
  readonly #deps: SavingDeps;
  #running: Promise<unknown> = Promise.resolve();
  /** The save that is to come; null when none is. */
  #next: Promise<void> | null = null;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: SavingDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when all that was said so far outlives this process: a Watson that was answered is known after a restart.
   * Also when the store takes nothing, as then nobody should wait for it.
   */
  async saved(): Promise<void> {
    const { state, store, clock } = this.#deps;
    if (store.outage !== null) return;
    if (state.registry.dirty.size === 0) return void (await this.#running);
    this.#next ??= clock.sleep(Math.max(0, this.#restUntilMs - clock.monotonicMs())).then(async () => {
      this.#next = null;
      await this.save();
    });
    await this.#next;
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
    const { state, store, clock, log } = this.#deps;
    const changes = state.registry.dirty.take();
    const { outage } = store;
    if (outage === null && changes.stored.length + changes.gone.length === 0) return true;
    const startMs = clock.monotonicMs();
    try {
      await store.saveRegistrations(changes);
      return true;
    } catch (error) {
      state.registry.dirty.restore(changes);
      if (outage === null) log.error("Registrations not saved, trying again", { error });
      return false;
    } finally {
      const endMs = clock.monotonicMs();
      this.#restUntilMs = endMs + Math.min(REST_MS_MAX, (endMs - startMs) * REST_FACTOR);
    }
  }
}
