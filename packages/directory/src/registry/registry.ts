import type { Registration } from "@datawire/protocol";
import { instanceKey, ProtocolError, type ErrorCode } from "@datawire/protocol";
import { admit } from "./admission.ts";
import type { Homecomers } from "./warm-up.ts";
import { type Contested, Ownership, type HoldingsParts, type Watson, type WatsonIdentity } from "./ownership.ts";
import type { Moment } from "../model/moment.ts";
import { PeerUpdates } from "./peer-updates.ts";
import type { StoredRegistration } from "../model/records.ts";
import { DirtySet } from "./dirty-set.ts";

/** What is held from one Watson. */
export interface Holder extends WatsonIdentity {
  /** `lost` from the moment that its connection breaks until it has stated its set again. */
  readonly state: "connected" | "lost";
  /** The other directory on the same store that it is connected to; null when it is this one, or none. */
  readonly replica: string | null;
  readonly sinceMs: number;
  /** How many instances it holds. */
  readonly instances: number;
}

/** An instance that was left out, and why. */
export interface Refusal {
  readonly instance: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a Watson said, with when and over what link it did. */
export interface Word {
  readonly moment: Moment;
  /** Whether the link comes over loopback. */
  readonly local: boolean;
}

/**
 * Who is registered, and by whom. A Watson's word is the truth about its own instances and about nothing else; losing
 * sight of it changes `live` into `lost`, and only the end of its lease takes its instances away.
 */
export class Registry {
  /** What changed here and is to be saved. */
  readonly dirty: DirtySet;
  readonly #ownership: Ownership;
  #expected = 0;

  constructor(parts: HoldingsParts) {
    this.#ownership = new Ownership(parts);
    this.dirty = new DirtySet(this.#ownership);
  }

  /** The door for the word of other directories on the same store, where there are any. */
  othersWord(replica: string): PeerUpdates {
    return new PeerUpdates(replica, { ownership: this.#ownership, dirty: this.dirty });
  }

  holder(id: string): Holder | null {
    const watson = this.#ownership.watsons.get(id);
    return watson === undefined ? null : holderOf(watson);
  }

  holders(): Holder[] {
    return [...this.#ownership.watsons.values()].map(holderOf);
  }

  /** The Watson that holds an instance. */
  ownerOf(key: string): WatsonIdentity | null {
    return this.#ownership.owner(key)?.identity ?? null;
  }

  /** The instances of a Watson that an operator has drained. */
  drainedOf(id: string): string[] {
    return [...(this.#ownership.watsons.get(id)?.held.keys() ?? [])].filter((key) => this.#ownership.isDrained(key));
  }

  /** The services that instances are held of from a Watson. */
  servicesOf(id: string): string[] {
    const held = this.#ownership.watsons.get(id)?.held.values() ?? [];
    return [...new Set([...held].map(({ said }) => said.service))];
  }

  /** A Watson has connected and will state its set; what is held from it stays as it is, for another lease, until then. */
  connect(identity: WatsonIdentity, moment: Moment): void {
    const watson = this.#ownership.watsons.get(identity.id);
    if (watson === undefined) {
      this.#ownership.add(identity, moment);
      return;
    }
    watson.identity = identity;
    if (watson.seat.state !== "elsewhere")
      this.#ownership.parts.leases.start(identity.id, watson.held.size, moment.monotonicMs);
  }

  /** Takes a Watson's whole set: what is held from it beyond the set goes. */
  register(id: string, registrations: readonly Registration[], word: Word): Refusal[] {
    const watson = this.#watson(id);
    const { moment } = word;
    if (watson.seat.state !== "here") this.dirty.watson(id);
    this.#ownership.sit(watson, { state: "here" }, { sinceMs: moment.wallMs, moment });
    const { taken, refused } = this.#take(watson, registrations, word);
    for (const key of watson.held.keys()) if (!taken.has(key)) this.#drop(watson, key, moment);
    this.#ownership.settle(moment);
    return refused;
  }

  /** Takes what changed in a Watson's set since it stated it. */
  update(
    id: string,
    { instances, gone }: { readonly instances: readonly Registration[]; readonly gone: readonly string[] },
    word: Word,
  ): Refusal[] {
    const watson = this.#ownership.watsons.get(id);
    if (watson?.seat.state !== "here")
      throw new ProtocolError("invalid_argument", "Cannot take an update before the whole set: send register first");
    for (const key of gone) if (watson.held.has(key)) this.#drop(watson, key, word.moment);
    const { refused } = this.#take(watson, instances, word);
    // What its Watson now describes in a way that cannot be used must not stay in use as it was described before.
    for (const { instance } of refused) if (watson.held.has(instance)) this.#drop(watson, instance, word.moment);
    this.#ownership.settle(word.moment);
    return refused;
  }

  /** The connection of a Watson broke. One that held nothing is forgotten: it has left cleanly. */
  break(id: string, moment: Moment): void {
    const watson = this.#ownership.watsons.get(id);
    if (watson === undefined || watson.seat.state === "elsewhere") return;
    this.dirty.watson(id);
    if (watson.held.size === 0) return this.#ownership.forget(watson);
    if (watson.seat.state === "lost")
      return this.#ownership.parts.leases.start(id, watson.held.size, moment.monotonicMs);
    this.#ownership.sit(watson, { state: "lost", replica: null }, { sinceMs: moment.wallMs, moment });
    this.#ownership.settle(moment);
  }

  /** Takes away what leases that are over held. Returns the keys of the instances that ended. */
  endLeases(moment: Moment): string[] {
    const ended = this.#ownership.parts.leases.end(moment.monotonicMs, this.#ownership.instances);
    const instances: string[] = [];
    for (const id of ended) {
      const watson = this.#watson(id);
      for (const key of watson.held.keys()) {
        instances.push(key);
        this.#drop(watson, key, moment);
      }
      this.dirty.watson(id, { away: watson.seat.state === "lost" ? watson.seat.replica : null });
      this.#ownership.forget(watson);
    }
    if (ended.length > 0) this.#ownership.settle(moment);
    return instances;
  }

  /** Marks an instance as drained by an operator since `drainedMs`, or no longer. */
  setDrained(key: string, drainedMs: number | null, moment: Moment): void {
    this.#ownership.setDrained(key, drainedMs, moment);
  }

  isDrained(key: string): boolean {
    return this.#ownership.isDrained(key);
  }

  /**
   * Brings back what was registered before a restart: each Watson has one lease to state it again.
   * @param presumed whether it is shown as it was, until `doubt`; else as lost, where another directory knows better.
   */
  restore(
    stored: readonly StoredRegistration[],
    { moment, presumed }: { readonly moment: Moment; readonly presumed: boolean },
  ): void {
    const { watsons, orders, parts } = this.#ownership;
    for (const { watson: identity, registration, order, sinceMs } of stored) {
      const key = instanceKey(registration);
      const watson = watsons.get(identity.id) ?? this.#ownership.add(identity, moment);
      if (presumed) watson.seat = { state: "lost", replica: null, presumed };
      orders.restore(key, order);
      this.#ownership.hold(watson, key, { held: { said: registration, saidSinceMs: sinceMs }, moment });
    }
    for (const [id, { held }] of watsons) parts.leases.start(id, held.size, moment.monotonicMs);
    this.#ownership.settle(moment);
  }

  /** A subscriber says how many instances it had before this directory started: so many there were. */
  expect(instances: number): void {
    this.#expected = Math.max(this.#expected, instances);
  }

  /** Who was there before a restart, has not come back, and is not shown as lost yet. */
  get returning(): Homecomers {
    const awaited = [...this.#ownership.watsons.values()].filter(
      ({ seat }) => seat.state === "lost" && seat.presumed === true,
    );
    return { awaited: awaited.length, missing: Math.max(0, this.#expected - this.#ownership.instances) };
  }

  /** Shows as lost what a restart brought back and no Watson has stated since. */
  doubt(moment: Moment): void {
    for (const watson of this.#ownership.watsons.values()) this.#ownership.doubt(watson, moment);
    this.#ownership.settle(moment);
  }

  /** Addresses at which Watsons that are connected announce different services. */
  contested(): Contested[] {
    return [...this.#ownership.contested()];
  }

  /** What changed since the last call, for a store of this directory alone. */
  takeDirty(): { readonly stored: StoredRegistration[]; readonly gone: string[] } {
    return this.dirty.take();
  }

  #take(
    watson: Watson,
    registrations: readonly Registration[],
    word: Word,
  ): { taken: Set<string>; refused: Refusal[] } {
    const taken = new Set<string>();
    const refused: Refusal[] = [];
    for (const said of registrations) {
      const key = instanceKey(said);
      try {
        if (taken.has(key))
          throw new ProtocolError("invalid_argument", `Cannot register ${key}: the same message names it twice`);
        admit(said, this.#admitted(watson), word);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refused.push({ instance: key, code: error.code, message: error.message });
        continue;
      }
      taken.add(key);
      const before = watson.held.get(key);
      const same = before !== undefined && before.said.state === said.state;
      const held = { said, saidSinceMs: same ? before.saidSinceMs : word.moment.wallMs };
      if (this.#ownership.hold(watson, key, { held, moment: word.moment }))
        this.dirty.instance(key, watson.identity.id);
    }
    return { taken, refused };
  }

  #admitted(watson: Watson) {
    const { services, writer } = this.#ownership.parts;
    return {
      services,
      instances: this.#ownership.instances,
      servicesKnown: writer.table.size.services,
      instance: (key: string) => writer.table.instance(key),
      liveHolder: (key: string): string | null => {
        const owner = this.#ownership.owner(key);
        return owner === null || owner === watson || owner.seat.state === "lost" ? null : owner.identity.name;
      },
    };
  }

  #drop(watson: Watson, key: string, moment: Moment): void {
    this.#ownership.drop(watson, key, moment);
    this.dirty.instance(key, watson.identity.id);
  }

  #watson(id: string): Watson {
    const watson = this.#ownership.watsons.get(id);
    if (watson === undefined) throw new Error(`Cannot find Watson ${id}: it never connected`);
    return watson;
  }
}

function holderOf({ identity, seat, sinceMs, held }: Watson): Holder {
  return {
    ...identity,
    state: seat.state === "lost" ? "lost" : "connected",
    replica: seat.state === "elsewhere" ? seat.replica : null,
    sinceMs,
    instances: held.size,
  };
}
