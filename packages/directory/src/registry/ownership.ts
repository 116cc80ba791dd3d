import { instanceKey, type Registration } from "@datawire/protocol";
import type { Moment } from "../model/moment.ts";
import type { StoredRegistration } from "../model/records.ts";
import { Announced, type Contested, contestedOf, replacementOf } from "./announced.ts";
import { type Guard, type LeaseConfig, Leases } from "./leases.ts";
import { Orders } from "./orders.ts";
import type { Projection } from "./projection.ts";
import { sameRegistration, type ShownState, shownState } from "./shown-state.ts";
import {
  describeHolder,
  type Adoption,
  type Expired,
  isOutOfSight,
  type KnownWatson,
  type Location,
  type Transition,
  type Watson,
  type WatsonIdentity,
} from "./watson.ts";

/**
 * Who is registered, by which Watson, and where each Watson is seen: the one owner of all three. Each transition keeps
 * the invariants, shows what it changed, and says what that was; what is saved of it is for its caller to say.
 *
 * - Each key in a `held` is owned by that Watson and by no other.
 * - A Watson that is lost has a lease, sized by what it holds. So has one that has connected again, until it has stated
 *   its set. One that connects for the first time holds nothing and needs none.
 */
export class Ownership {
  readonly #projection: Projection;
  readonly #leases: Leases;
  readonly #watsons = new Map<string, KnownWatson>();
  /** Instance key → the id of the Watson that holds it. */
  readonly #owners = new Map<string, string>();
  readonly #orders = new Orders();
  /** Instance key → since when an operator has drained it. */
  readonly #drained = new Map<string, number>();
  readonly #announced = new Announced();

  constructor({ leaseMs, guard }: LeaseConfig, projection: Projection) {
    this.#projection = projection;
    this.#leases = new Leases(leaseMs, guard);
  }

  /** How many instances there are. */
  get instances(): number {
    return this.#owners.size;
  }

  watson(id: string): Watson | null {
    return this.#watsons.get(id) ?? null;
  }

  watsons(): Iterable<Watson> {
    return this.#watsons.values();
  }

  /** The Watson that holds an instance. */
  owner(key: string): Watson | null {
    return this.#owner(key);
  }

  isDrained(key: string): boolean {
    return this.#drained.has(key);
  }

  /** An instance as a store keeps it; null when nobody holds it. */
  stored(key: string): StoredRegistration | null {
    const owner = this.#owner(key);
    const held = owner?.held.get(key);
    if (owner === null || held === undefined) return null;
    const { said, saidSinceMs } = held;
    return { watson: owner.identity, registration: said, order: this.#orders.of(key), sinceMs: saidSinceMs };
  }

  /** What holds leases back that are over. */
  get guard(): Guard {
    return this.#leases;
  }

  /** A Watson has connected and will state its set; until then its instances stay, for another lease. */
  attach(identity: WatsonIdentity, moment: Moment): void {
    const watson = this.#watsons.get(identity.id);
    if (watson === undefined) return void this.#add(identity, moment);
    watson.identity = identity;
    if (watson.location.state !== "elsewhere") this.#startLease(watson, moment);
  }

  /** Notes a Watson that another directory tells of: one that is unknown here is lost, for one lease. */
  meet(identity: WatsonIdentity, moment: Moment): Watson {
    const known = this.#watsons.get(identity.id);
    if (known !== undefined) return known;
    const watson = this.#add(identity, moment);
    this.#startLease(watson, moment);
    return watson;
  }

  /** Says where a Watson is seen from now on, and who it is. Losing it starts its lease, seeing it ends that. */
  place(
    identity: WatsonIdentity,
    location: Location,
    { sinceMs, moment }: { readonly sinceMs: number; readonly moment: Moment },
  ): Transition {
    const watson = this.#known(identity.id);
    const before = watson.location;
    watson.identity = identity;
    watson.location = location;
    // When it last spoke to another directory is not known any better here.
    if (location.state === "here" || before.state === "elsewhere") watson.saidMs = moment.monotonicMs;
    if (location.state !== "lost") this.#leases.stop(identity.id);
    else if (before.state !== "lost") this.#startLease(watson, moment);
    const moved = before.state !== location.state;
    const looksAlike =
      (before.state === "lost") === (location.state === "lost") && isOutOfSight(before) === isOutOfSight(location);
    if (!looksAlike || (location.state === "lost" && sinceMs !== watson.sinceMs)) {
      watson.sinceMs = sinceMs;
      for (const [key, { said }] of watson.held) {
        this.#show(key, moment);
        this.#showBeside(key, said, moment);
      }
    }
    return { watson: identity.id, moved, instances: [] };
  }

  /** Lets a Watson hold an instance, taking it from any other. */
  adopt(id: string, key: string, { statement, order, moment }: Adoption): Transition {
    if (order !== undefined) this.#orders.restore(key, order);
    const watson = this.#known(id);
    const owner = this.#owner(key);
    const last = owner?.held.get(key)?.said;
    if (owner !== null && owner !== watson) {
      owner.held.delete(key);
      this.#resizeLease(owner);
    }
    const before = watson.held.get(key);
    const moved = last !== undefined && (last.url !== statement.said.url || last.protocol !== statement.said.protocol);
    if (moved) this.#announced.remove(key, last);
    if (moved || last === undefined) this.#announced.add(key, statement.said);
    this.#owners.set(key, id);
    watson.held.set(key, statement);
    this.#resizeLease(watson);
    this.#show(key, moment);
    if (moved) this.#showBeside(key, last, moment);
    this.#showBeside(key, statement.said, moment);
    const isNews = before === undefined || !sameRegistration(before.said, statement.said);
    return { watson: id, moved: false, instances: isNews ? [key] : [] };
  }

  /** Takes an instance away from the Watson that holds it. */
  release(key: string, moment: Moment): Transition | null {
    const watson = this.#owner(key);
    if (watson === null) return null;
    const said = watson.held.get(key)?.said;
    watson.held.delete(key);
    this.#resizeLease(watson);
    this.#owners.delete(key);
    this.#orders.leave(key);
    if (said !== undefined) {
      this.#announced.remove(key, said);
      this.#showBeside(key, said, moment);
    }
    this.#projection.remove(key, moment);
    return { watson: watson.identity.id, moved: false, instances: [key] };
  }

  /** Forgets a Watson, and with it all that it holds. */
  forget(id: string, moment: Moment): Transition {
    const instances = [...(this.#watsons.get(id)?.held.keys() ?? [])];
    for (const key of instances) this.release(key, moment);
    this.#leases.stop(id);
    this.#watsons.delete(id);
    return { watson: id, moved: true, instances };
  }

  /** Forgets the Watsons whose leases are over, unless the guard holds them. */
  expire(moment: Moment): Expired[] {
    return this.#leases.end(moment.monotonicMs, this.instances).map((id) => {
      const { location } = this.#known(id);
      const lastReplica = location.state === "lost" ? location.replica : null;
      return { ...this.forget(id, moment), lastReplica };
    });
  }

  /** Starts the leases of all that are lost anew. */
  restartLeases(moment: Moment): void {
    for (const watson of this.#watsons.values()) {
      if (watson.location.state !== "lost") continue;
      watson.saidMs = moment.monotonicMs;
      this.#startLease(watson, moment);
    }
  }

  /**
   * Brings back what was registered before a restart, for one lease.
   * @param presumed whether it is shown as it was until `doubt`, or as lost.
   */
  restore(
    stored: readonly StoredRegistration[],
    { moment, presumed }: { readonly moment: Moment; readonly presumed: boolean },
  ): void {
    for (const { watson: identity, registration, order, sinceMs } of stored) {
      const watson = this.#watsons.get(identity.id) ?? this.#add(identity, moment);
      if (presumed) watson.location = { state: "lost", replica: null, presumed };
      const statement = { said: registration, saidSinceMs: sinceMs };
      this.adopt(identity.id, instanceKey(registration), { statement, order, moment });
    }
    for (const watson of this.#watsons.values()) this.#startLease(watson, moment);
    this.#projection.settle(moment);
  }

  /** Shows as lost whoever was presumed to come back and did not. */
  doubt(moment: Moment): void {
    for (const watson of this.#watsons.values()) {
      const { location } = watson;
      if (location.state !== "lost" || location.presumed !== true) continue;
      watson.location = { state: "lost", replica: location.replica };
      for (const key of watson.held.keys()) this.#show(key, moment);
    }
    this.#projection.settle(moment);
  }

  /** Marks an instance as drained by an operator since `drainedMs`, or no longer. */
  setDrained(key: string, drainedMs: number | null, moment: Moment): void {
    if (drainedMs === null) this.#drained.delete(key);
    else this.#drained.set(key, drainedMs);
    this.#show(key, moment);
    this.#projection.settle(moment);
  }

  /** What others would be told of an instance, were it drained since `drainedMs`, or not; null when nobody holds it. */
  shownIf(key: string, drainedMs: number | null): ShownState | null {
    const watson = this.#owner(key);
    const statement = watson?.held.get(key);
    if (watson === null || statement === undefined) return null;
    const { location, identity, sinceMs } = watson;
    const { said } = statement;
    const beside = location.state === "lost" ? this.#announced.beside(key, said) : null;
    return shownState(statement, {
      lost: isOutOfSight(location) ? { holder: describeHolder(identity), sinceMs } : null,
      replaced: beside === null ? null : replacementOf({ watson, said }, beside, (other) => this.#owner(other)),
      drainedMs,
    });
  }

  /** Addresses at which Watsons that are connected announce different services. */
  contested(): Contested[] {
    return [...contestedOf(this.#announced.shared(), (key) => this.#owner(key))];
  }

  /** Ends a step of several transitions: brings the services in line with their instances. */
  settle(moment: Moment): void {
    this.#projection.settle(moment);
  }

  /** A new Watson, out of sight until it is placed, and without a lease. */
  #add(identity: WatsonIdentity, { wallMs, monotonicMs }: Moment): KnownWatson {
    const location: Location = { state: "lost", replica: null };
    const watson: KnownWatson = { identity, location, sinceMs: wallMs, saidMs: monotonicMs, held: new Map() };
    this.#watsons.set(identity.id, watson);
    return watson;
  }

  #known(id: string): KnownWatson {
    const watson = this.#watsons.get(id);
    if (watson === undefined) throw new Error(`Cannot find Watson ${id}: it never connected`);
    return watson;
  }

  #owner(key: string): KnownWatson | null {
    return this.#watsons.get(this.#owners.get(key) ?? "") ?? null;
  }

  #startLease({ identity, held, saidMs }: KnownWatson, { monotonicMs }: Moment): void {
    const { id, leaseMs } = identity;
    this.#leases.start(id, held.size, monotonicMs, leaseMs === undefined ? null : saidMs + leaseMs);
  }

  #resizeLease({ identity, location, held }: Watson): void {
    if (location.state === "lost") this.#leases.resize(identity.id, held.size);
  }

  /** Makes the table show an instance as its Watson describes it, as far as that is in sight. */
  #show(key: string, moment: Moment): void {
    const said = this.#owner(key)?.held.get(key)?.said;
    const shown = this.shownIf(key, this.#drained.get(key) ?? null);
    if (said === undefined || shown === null) return;
    this.#projection.show(key, said, { shown, order: this.#orders.of(key), moment });
  }

  /**
   * Shows again the instances of lost Watsons that are announced at an address of this one: they are used only as long
   * as nobody says anything else of it.
   */
  #showBeside(key: string, said: Registration, moment: Moment): void {
    if (this.#leases.running === 0) return;
    for (const other of this.#announced.concerned(key, said)) {
      if (this.#owner(other)?.location.state === "lost") this.#show(other, moment);
    }
  }
}
