import type { Moment } from "../model/moment.ts";
import type { Sighting, StoredRegistration } from "../model/records.ts";
import type { DirtySet } from "./dirty-set.ts";
import type { Ownership } from "./ownership.ts";
import { sameRegistration } from "./shown-state.ts";
import type { Watson } from "./watson.ts";

/** What other directories on the same store have written; null for what is gone. */
export interface SharedNews {
  /** The directories that are there: each has an id for the time from its start to its end. */
  readonly replicas: readonly { readonly id: string; readonly present: boolean }[];
  readonly sightings: readonly { readonly id: string; readonly value: Sighting | null }[];
  readonly registrations: readonly { readonly key: string; readonly value: StoredRegistration | null }[];
}

/**
 * Applies what the other directories on the same store say, by the same transitions as for a Watson that speaks for
 * itself. About a Watson that is connected here this directory knows better, unless another one has seen it since: the
 * directory to which a Watson stated its set last is right about it.
 */
export class PeerUpdates {
  readonly #ownership: Ownership;
  readonly #dirty: DirtySet;
  readonly #replica: string;
  readonly #present = new Set<string>();

  /** @param replica the id of this directory. */
  constructor(replica: string, { ownership, dirty }: { readonly ownership: Ownership; readonly dirty: DirtySet }) {
    this.#replica = replica;
    this.#ownership = ownership;
    this.#dirty = dirty;
  }

  /**
   * Takes what is new.
   * @returns the Watsons connected here that another directory has seen since, or has let another Watson hold an
   * instance of: they have to state their sets again.
   */
  take({ replicas, sightings, registrations }: SharedNews, moment: Moment): Set<string> {
    const contested = new Set<string>();
    for (const { id, present } of replicas) this.#takeReplica(id, present, moment);
    for (const { id, value } of sightings) {
      if (value === null) this.#forget(id, moment);
      else if (this.#takeSighting(value, moment)) contested.add(id);
    }
    for (const { key, value } of registrations) {
      if (value === null) this.#release(key, moment);
      else for (const id of this.#takeRegistration(key, value, moment)) contested.add(id);
    }
    this.#ownership.settle(moment);
    return contested;
  }

  /**
   * Starts the leases of all Watsons that are out of sight anew: while the store was out of reach, nobody could tell of
   * them.
   */
  restartLeases(moment: Moment): void {
    this.#ownership.restartLeases(moment);
  }

  #takeReplica(id: string, present: boolean, moment: Moment): void {
    if (id === this.#replica) return;
    if (present) this.#present.add(id);
    else this.#present.delete(id);
    for (const watson of this.#ownership.watsons()) {
      if (watson.location.state !== "here" && watson.location.replica === id) this.#placeAt(id, watson, { moment });
    }
  }

  /**
   * Places a Watson at the directory that sees it, or was the last to see it.
   * @param sinceMs since when it does, where that is known.
   */
  #placeAt(
    replica: string,
    { identity, location, sinceMs: beforeMs }: Watson,
    { moment, sinceMs = moment.wallMs }: { readonly moment: Moment; readonly sinceMs?: number },
  ): void {
    if (this.#present.has(replica))
      return void this.#ownership.place(identity, { state: "elsewhere", replica }, { sinceMs, moment });
    // Nobody has lost sight of it if the directory that saw it has ended while this one was not there yet.
    const presumed = location.state === "lost" && location.presumed === true;
    const lostMs = location.state === "lost" ? beforeMs : moment.wallMs;
    this.#ownership.place(identity, { state: "lost", replica, presumed }, { sinceMs: lostMs, moment });
  }

  /** Returns whether the Watson was connected here until now. */
  #takeSighting({ replica, sinceMs, ...identity }: Sighting, moment: Moment): boolean {
    const { id } = identity;
    const watson = this.#ownership.meet(identity, moment);
    const here = watson.location.state === "here";
    if (replica === this.#replica || (here && replica === null)) {
      // It is not as the store has it, and this directory is the one to say so.
      if (here !== (replica === this.#replica)) this.#dirty.watson(id);
      return false;
    }
    if (replica === null) this.#ownership.place(identity, { state: "lost", replica }, { sinceMs, moment });
    else this.#placeAt(replica, { ...watson, identity }, { moment, sinceMs });
    return here;
  }

  /** Returns the Watsons connected here that lost the instance. */
  #takeRegistration(key: string, stored: StoredRegistration, moment: Moment): string[] {
    const { registration, order, sinceMs, watson: identity } = stored;
    const watson = this.#ownership.meet(identity, moment);
    const owner = this.#ownership.owner(key);
    const ownerHere = owner?.location.state === "here";
    if (watson.location.state === "here") {
      const own = watson.held.get(key);
      if (own !== undefined && sameRegistration(own.said, registration)) return [];
      // Its Watson, which is here, says otherwise; or holds it no more, and another one may.
      if (owner?.location.state === "elsewhere") this.#ownership.release(key, moment);
      this.#dirty.instance(key, this.#ownership.owner(key)?.identity.id ?? identity.id);
      return [];
    }
    if (owner !== null && ownerHere && watson.location.state === "lost") {
      this.#dirty.instance(key, owner.identity.id); // taken over from one that is out of sight
      return [];
    }
    const statement = { said: registration, saidSinceMs: sinceMs };
    this.#ownership.adopt(identity.id, key, { statement, order, moment });
    return owner !== null && ownerHere ? [owner.identity.id] : [];
  }

  #release(key: string, moment: Moment): void {
    const owner = this.#ownership.owner(key);
    if (owner === null) return;
    if (owner.location.state === "here") this.#dirty.instance(key, owner.identity.id);
    else this.#ownership.release(key, moment);
  }

  #forget(id: string, moment: Moment): void {
    const watson = this.#ownership.watson(id);
    if (watson === null) return;
    if (watson.location.state !== "here") return void this.#ownership.forget(id, moment);
    this.#dirty.watson(id);
    for (const key of watson.held.keys()) this.#dirty.instance(key, id);
  }
}
