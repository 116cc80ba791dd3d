import { instanceKey } from "@datawire/protocol";
import type { Ownership } from "./ownership.ts";
import type { Watson } from "./watson.ts";
import type { Sighting, StoredRegistration } from "../model/records.ts";

/** What changed of the registrations since they were last saved: as they are now, and the keys of those that are gone. */
export interface RegistrationChanges {
  readonly stored: readonly StoredRegistration[];
  /** Keys `SERVICE@INSTANCE`. */
  readonly gone: readonly string[];
}

/**
 * What is written about one Watson to a store that directories share: all of it, or nothing where another directory was
 * faster.
 */
export interface WatsonChange extends RegistrationChanges {
  readonly watson: string;
  /** Where it is seen from now on, null when it is forgotten; left out when that has not changed. */
  readonly sighting?: Sighting | null;
  /** The directory that must still be away for the change to hold: the Watson was last seen there. */
  readonly away: string | null;
}

/** The instances and Watsons for which a directory does not know any more what the store has. */
export interface Unconfirmed {
  /** Keys `SERVICE@INSTANCE`. */
  readonly instances: readonly string[];
  /** Ids of Watsons. */
  readonly watsons: readonly string[];
}

/**
 * The registrations that this directory has changed and not saved yet. To save them, take them, and give back those
 * that could not be saved; what is taken next is as it is by then.
 */
export interface Dirty {
  /** How much there is to do; 0 when all is saved. */
  readonly size: number;
  /** Everything since the last call, for a store of this directory alone. */
  take(): RegistrationChanges;
  /** Takes back changes that could not be saved. */
  restore(changes: RegistrationChanges): void;
  /** Everything since the last call, by Watson, without what is up to another directory. */
  takeByWatson(replica: string): WatsonChange[];
  /** As `restore`, of `takeByWatson`. */
  restoreByWatson(changes: readonly WatsonChange[]): void;
  /**
   * What has to be read again from the store, since what this directory knew of it was never written, and will not be.
   */
  takeUnconfirmed(): Unconfirmed;
  /** Takes back what could not be read again. */
  restoreUnconfirmed(unconfirmed: Unconfirmed): void;
}

/** Where the registry and the updates of peers note what is to be saved. */
export class DirtySet implements Dirty {
  readonly #ownership: Ownership;
  /** Instance key → the Watson for whose sake it changed. */
  readonly #instances = new Map<string, string>();
  /** Watson → the directory that must still be away when it is forgotten. */
  readonly #watsons = new Map<string, string | null>();
  /** Instances that changed here and were not saved before another directory heard their Watson. */
  readonly #unconfirmed = new Set<string>();
  /** Watsons that were forgotten here, which the directory that saw them last may not have allowed, as it is back. */
  readonly #unconfirmedWatsons = new Set<string>();

  constructor(ownership: Ownership) {
    this.#ownership = ownership;
  }

  instance(key: string, watson: string): void {
    this.#instances.set(key, watson);
  }

  /** Where the Watson is seen has changed, or it is forgotten. */
  watson(id: string, { away = null }: { readonly away?: string | null } = {}): void {
    this.#watsons.set(id, away);
  }

  get size(): number {
    return this.#instances.size + this.#watsons.size + this.#unconfirmed.size + this.#unconfirmedWatsons.size;
  }

  take(): { readonly stored: StoredRegistration[]; readonly gone: string[] } {
    const stored: StoredRegistration[] = [];
    const gone: string[] = [];
    for (const key of this.#instances.keys()) {
      const one = this.#ownership.stored(key);
      if (one === null) gone.push(key);
      else stored.push(one);
    }
    this.#clear();
    return { stored, gone };
  }

  restore({ stored, gone }: RegistrationChanges): void {
    for (const { watson, registration } of stored) this.instance(instanceKey(registration), watson.id);
    for (const key of gone) this.instance(key, this.#ownership.owner(key)?.identity.id ?? "");
  }

  takeByWatson(replica: string): WatsonChange[] {
    const byWatson = new Map<string, Draft>();
    const draft = (id: string): Draft => {
      const known = byWatson.get(id) ?? { watson: id, away: null, stored: [], gone: [] };
      byWatson.set(id, known);
      return known;
    };
    for (const [id, away] of this.#watsons) {
      const watson = this.#ownership.watson(id);
      if (watson?.location.state === "elsewhere") continue;
      Object.assign(draft(id), { away, sighting: watson === null ? null : sightingOf(watson, replica) });
    }
    for (const [key, id] of this.#instances) {
      const owner = this.#ownership.owner(key);
      if (this.#ownership.watson(id)?.location.state === "elsewhere") this.#unconfirmed.add(key);
      else if (owner === null) draft(id).gone.push(key);
      else if (owner.identity.id === id) draft(id).stored.push(this.#ownership.stored(key) as StoredRegistration);
    }
    this.#clear();
    return [...byWatson.values()];
  }

  takeUnconfirmed(): Unconfirmed {
    const taken = { instances: [...this.#unconfirmed], watsons: [...this.#unconfirmedWatsons] };
    this.#unconfirmed.clear();
    this.#unconfirmedWatsons.clear();
    return taken;
  }

  restoreUnconfirmed({ instances, watsons }: Unconfirmed): void {
    for (const key of instances) this.#unconfirmed.add(key);
    for (const id of watsons) this.#unconfirmedWatsons.add(id);
  }

  restoreByWatson(changes: readonly WatsonChange[]): void {
    for (const { watson, sighting, stored, gone, away } of changes) {
      if (sighting === null && away !== null && this.#ownership.watson(watson) === null) {
        // Written again it would be refused again, for as long as the directory that saw the Watson is there.
        this.restoreUnconfirmed({ instances: gone, watsons: [watson] });
        continue;
      }
      if (sighting !== undefined && !this.#watsons.has(watson)) this.#watsons.set(watson, away);
      for (const key of [...stored.map((one) => instanceKey(one.registration)), ...gone]) {
        if (!this.#instances.has(key)) this.#instances.set(key, watson);
      }
    }
  }

  #clear(): void {
    this.#instances.clear();
    this.#watsons.clear();
  }
}

interface Draft {
  watson: string;
  sighting?: Sighting | null;
  away: string | null;
  stored: StoredRegistration[];
  gone: string[];
}

function sightingOf({ identity, location, sinceMs }: Watson, replica: string): Sighting {
  return { ...identity, replica: location.state === "here" ? replica : null, sinceMs };
}
