import { type ErrorCode, instanceKey, ProtocolError, type Registration } from "@datawire/protocol";
import type { Moment } from "../model/moment.ts";
import type { StoredRegistration } from "../model/records.ts";
import { admit, type Admitted } from "./admission.ts";
import type { Contested } from "./announced.ts";
import { type Dirty, DirtySet } from "./dirty-set.ts";
import type { Guard, LeaseConfig } from "./leases.ts";
import { Ownership } from "./ownership.ts";
import { PeerUpdates } from "./peer-updates.ts";
import { Projection, type ProjectionParts } from "./projection.ts";
import type { ShownState } from "./shown-state.ts";
import type { Returning } from "./warm-up.ts";
import { describeHolder, type Transition, type Watson, type WatsonIdentity } from "./watson.ts";

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

/** What a Watson said, when, and over which link. */
export interface Word {
  readonly moment: Moment;
  /** Whether the link comes over loopback. */
  readonly local: boolean;
}

/**
 * Who is registered, and by whom, according to the Watsons that are connected here. A Watson is the authority on its
 * own instances and on nothing else. Losing sight of it turns `live` into `lost`, and only the end of its lease removes
 * its instances. Whatever changes here has to be saved, and is in `dirty` until it is.
 */
export class Registry {
  readonly #parts: ProjectionParts;
  readonly #ownership: Ownership;
  readonly #dirty: DirtySet;
  #expected = 0;

  constructor(config: LeaseConfig, parts: ProjectionParts) {
    this.#parts = parts;
    this.#ownership = new Ownership(config, new Projection(parts));
    this.#dirty = new DirtySet(this.#ownership);
  }

  /** What changed here and is not saved yet. */
  get dirty(): Dirty {
    return this.#dirty;
  }

  /** Takes what other directories on the same store say. */
  peerUpdates(replica: string): PeerUpdates {
    return new PeerUpdates(replica, { ownership: this.#ownership, dirty: this.#dirty });
  }

  holder(id: string): Holder | null {
    const watson = this.#ownership.watson(id);
    return watson === null ? null : holderOf(watson);
  }

  holders(): Holder[] {
    return [...this.#ownership.watsons()].map(holderOf);
  }

  /** The Watson that holds an instance. */
  ownerOf(key: string): WatsonIdentity | null {
    return this.#ownership.owner(key)?.identity ?? null;
  }

  /** The instances of a Watson that an operator has drained. */
  drainedOf(id: string): string[] {
    return [...(this.#ownership.watson(id)?.held.keys() ?? [])].filter((key) => this.#ownership.isDrained(key));
  }

  /** The services that instances are held of from a Watson. */
  servicesOf(id: string): string[] {
    const held = this.#ownership.watson(id)?.held.values() ?? [];
    return [...new Set([...held].map(({ said }) => said.service))];
  }

  /** A Watson has connected and will state its set; until then its instances stay as they are, for another lease. */
  attach(identity: WatsonIdentity, moment: Moment): void {
    this.#ownership.attach(identity, moment);
  }

  /**
   * Takes a Watson's whole set, and removes its other instances.
   * @returns what was left out of it.
   */
  register(id: string, registrations: readonly Registration[], word: Word): Refusal[] {
    const { identity } = this.#attached(id);
    const { moment } = word;
    const sinceMs = moment.wallMs;
    this.#save(this.#ownership.place(identity, { state: "here" }, { sinceMs, moment }));
    const { taken, refused } = this.#take(id, registrations, word);
    for (const key of this.#attached(id).held.keys()) if (!taken.has(key)) this.#release(key, moment);
    this.#ownership.settle(moment);
    return refused;
  }

  /**
   * Takes what changed in a Watson's set since it stated it.
   * @returns what was left out of it.
   * @throws ProtocolError `invalid_argument` before the whole set was stated over this connection.
   */
  update(
    id: string,
    { instances, gone }: { readonly instances: readonly Registration[]; readonly gone: readonly string[] },
    word: Word,
  ): Refusal[] {
    const watson = this.#ownership.watson(id);
    if (watson?.location.state !== "here")
      throw new ProtocolError("invalid_argument", "Cannot take an update before the whole set: send register first");
    for (const key of gone) if (watson.held.has(key)) this.#release(key, word.moment);
    const { refused } = this.#take(id, instances, word);
    // An instance whose new description cannot be used must not stay in use by its old one.
    for (const { instance } of refused) if (watson.held.has(instance)) this.#release(instance, word.moment);
    this.#ownership.settle(word.moment);
    return refused;
  }

  /** The connection of a Watson broke. A Watson without instances is forgotten, as it has left cleanly. */
  detach(id: string, moment: Moment): void {
    const watson = this.#ownership.watson(id);
    if (watson === null || watson.location.state === "elsewhere") return;
    this.#dirty.watson(id);
    if (watson.held.size === 0) return void this.#ownership.forget(id, moment);
    // A Watson that connected again, and whose connection broke before it stated its set, gets another lease.
    if (watson.location.state === "lost") return this.#ownership.attach(watson.identity, moment);
    const sinceMs = moment.wallMs;
    this.#ownership.place(watson.identity, { state: "lost", replica: null }, { sinceMs, moment });
    this.#ownership.settle(moment);
  }

  /** Takes away what leases that are over held. Returns the keys of the instances that ended. */
  endLeases(moment: Moment): string[] {
    const ended = this.#ownership.expire(moment);
    for (const one of ended) this.#save(one, { away: one.lastReplica });
    if (ended.length > 0) this.#ownership.settle(moment);
    return ended.flatMap(({ instances }) => instances);
  }

  /** Marks an instance as drained by an operator since `drainedMs`, or no longer. */
  setDrained(key: string, drainedMs: number | null, moment: Moment): void {
    this.#ownership.setDrained(key, drainedMs, moment);
  }

  isDrained(key: string): boolean {
    return this.#ownership.isDrained(key);
  }

  /** What others would be told of an instance, were it drained since `drainedMs`, or not; null when nobody holds it. */
  shownIf(key: string, drainedMs: number | null): ShownState | null {
    return this.#ownership.shownIf(key, drainedMs);
  }

  /** The instances that the guard holds. */
  get guarded(): string[] {
    const watsons = this.#ownership.guard.held?.watsons ?? [];
    return watsons.flatMap((id) => [...(this.#ownership.watson(id)?.held.keys() ?? [])]);
  }

  /** What holds leases back that are over. */
  get guard(): Guard {
    return this.#ownership.guard;
  }

  /**
   * Brings back what was registered before a restart: each Watson has one lease to state it again.
   * @param presumed whether it is shown as it was, until `doubt`; else as lost, where another directory knows better.
   */
  restore(
    stored: readonly StoredRegistration[],
    { moment, presumed }: { readonly moment: Moment; readonly presumed: boolean },
  ): void {
    this.#ownership.restore(stored, { moment, presumed });
  }

  /**
   * A subscriber says how many instances it knew before this directory started, so that there were at least so many.
   */
  expect(instances: number): void {
    this.#expected = Math.max(this.#expected, instances);
  }

  /** The Watsons and instances from before a restart that have not come back, and are not shown as lost yet. */
  get returning(): Returning {
    const awaited = [...this.#ownership.watsons()].filter(
      ({ location }) => location.state === "lost" && location.presumed === true,
    );
    return { awaited: awaited.length, missing: Math.max(0, this.#expected - this.#ownership.instances) };
  }

  /** Shows as lost what a restart brought back and no Watson has stated since. */
  doubt(moment: Moment): void {
    this.#ownership.doubt(moment);
  }

  /** Addresses at which Watsons that are connected announce different services. */
  contested(): Contested[] {
    return this.#ownership.contested();
  }

  #take(
    id: string,
    registrations: readonly Registration[],
    { moment, local }: Word,
  ): { readonly taken: ReadonlySet<string>; readonly refused: Refusal[] } {
    const taken = new Set<string>();
    const refused: Refusal[] = [];
    const watson = this.#attached(id);
    const known = this.#admitted(watson);
    for (const said of registrations) {
      const key = instanceKey(said);
      try {
        if (taken.has(key))
          throw new ProtocolError("invalid_argument", `Cannot register ${key}: the same message names it twice`);
        admit(said, known, { local });
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        refused.push({ instance: key, code: error.code, message: error.message });
        continue;
      }
      taken.add(key);
      const before = watson.held.get(key);
      const same = before !== undefined && before.said.state === said.state;
      const statement = { said, saidSinceMs: same ? before.saidSinceMs : moment.wallMs };
      this.#save(this.#ownership.adopt(id, key, { statement, moment }));
    }
    return { taken, refused };
  }

  #admitted(watson: Watson): Admitted {
    const { services, writer } = this.#parts;
    const ownership = this.#ownership;
    return {
      services,
      get instances() {
        return ownership.instances;
      },
      get servicesKnown() {
        return writer.table.size.services;
      },
      instance: (key) => writer.table.instance(key),
      liveHolder(key) {
        const owner = ownership.owner(key);
        // What both register is the Watson's, which checks it.
        const yields = owner?.identity.kind === "mdk" && watson.identity.kind !== "mdk";
        return owner === null || owner === watson || yields || owner.location.state === "lost"
          ? null
          : describeHolder(owner.identity);
      },
    };
  }

  #release(key: string, moment: Moment): void {
    const released = this.#ownership.release(key, moment);
    if (released !== null) this.#save(released);
  }

  #save({ watson, moved, instances }: Transition, { away = null }: { readonly away?: string | null } = {}): void {
    for (const key of instances) this.#dirty.instance(key, watson);
    if (moved) this.#dirty.watson(watson, { away });
  }

  #attached(id: string): Watson {
    const watson = this.#ownership.watson(id);
    if (watson === null) throw new Error(`Cannot find Watson ${id}: it never connected`);
    return watson;
  }
}

function holderOf({ identity, location, sinceMs, held }: Watson): Holder {
  return {
    ...identity,
    state: location.state === "lost" ? "lost" : "connected",
    replica: location.state === "elsewhere" ? location.replica : null,
    sinceMs,
    instances: held.size,
  };
}
