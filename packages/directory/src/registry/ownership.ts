import { answersAlike, type Instance, type Registration } from "@datawire/protocol";
import { Announced } from "./announced.ts";
import type { Leases } from "./leases.ts";
import type { Moment } from "../model/moment.ts";
import { Orders } from "./orders.ts";
import type { Primaries } from "./primaries.ts";
import type { StoredRegistration } from "../model/records.ts";
import type { Services } from "./services.ts";
import { type Held, type Replacement, sameRegistration, shownState } from "./shown-state.ts";
import type { CatalogWriter } from "../feed/catalog-writer.ts";

/** Who a Watson is: a random id that it keeps, and the machine that it runs on. */
export interface WatsonIdentity {
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

/** Which directory sees a Watson. `replica` names another directory on the same store. */
export type Seat =
  /** Connected to this directory, where it has stated its set. */
  | { readonly state: "here" }
  | { readonly state: "elsewhere"; readonly replica: string }
  /**
   * Out of sight: its connection broke, or the directory that had it is itself gone. `presumed` is one that was in sight
   * before this directory restarted: it is on its way back, and the table need not say `lost` and `live` of all at once.
   */
  | { readonly state: "lost"; readonly replica: string | null; readonly presumed?: boolean };

export interface Watson {
  identity: WatsonIdentity;
  seat: Seat;
  /** Since when it is connected, or lost. */
  sinceMs: number;
  readonly held: Map<string, Held>;
}

export interface HoldingsParts {
  readonly writer: CatalogWriter;
  readonly services: Services;
  readonly primaries: Primaries;
  readonly leases: Leases;
}

/** Who holds which instance, and what the table shows of that. The registry and the other directories' word change it. */
export class Ownership {
  readonly parts: HoldingsParts;
  readonly watsons = new Map<string, Watson>();
  readonly orders = new Orders();
  /** Instance key → the id of the Watson that holds it. Every key in a `held` is here, with that Watson, and no other. */
  readonly #owners = new Map<string, string>();
  /** Instance key → since when. */
  readonly #drained = new Map<string, number>();
  readonly #announced = new Announced();
  /** Services whose instances changed since the last `settle`. */
  readonly #touched = new Set<string>();

  constructor(parts: HoldingsParts) {
    this.parts = parts;
  }

  /** How many instances there are. */
  get instances(): number {
    return this.#owners.size;
  }

  owner(key: string): Watson | null {
    return this.watsons.get(this.#owners.get(key) ?? "") ?? null;
  }

  isDrained(key: string): boolean {
    return this.#drained.has(key);
  }

  /** A new Watson, out of sight until it is seated, and without a lease. */
  add(identity: WatsonIdentity, { wallMs }: Moment): Watson {
    const seat: Seat = { state: "lost", replica: null };
    const watson: Watson = { identity, seat, sinceMs: wallMs, held: new Map() };
    this.watsons.set(identity.id, watson);
    return watson;
  }

  /** Says where a Watson is seen from now on. Losing it starts its lease, seeing it ends that. */
  sit(watson: Watson, seat: Seat, { sinceMs, moment }: { readonly sinceMs: number; readonly moment: Moment }): void {
    const { leases } = this.parts;
    const { id } = watson.identity;
    const before = watson.seat;
    watson.seat = seat;
    if (seat.state !== "lost") leases.stop(id);
    else if (before.state !== "lost") leases.start(id, watson.held.size, moment.monotonicMs);
    const stays = (before.state === "lost") === (seat.state === "lost") && isOutOfSight(before) === isOutOfSight(seat);
    if (stays && (seat.state !== "lost" || sinceMs === watson.sinceMs)) return;
    watson.sinceMs = sinceMs;
    for (const [key, held] of watson.held) {
      this.#show(watson, key, held, moment);
      this.#showBeside(key, held.said, moment);
    }
  }

  /** Says of a Watson that was presumed to come back that it did not. */
  doubt(watson: Watson, moment: Moment): void {
    if (watson.seat.state !== "lost" || watson.seat.presumed !== true) return;
    watson.seat = { state: "lost", replica: watson.seat.replica };
    for (const [key, held] of watson.held) this.#show(watson, key, held, moment);
  }

  /** Forgets a Watson that holds nothing any more. */
  forget({ identity }: Watson): void {
    this.parts.leases.stop(identity.id);
    this.watsons.delete(identity.id);
  }

  /** Holds an instance from a Watson, taking it from any other. Returns whether the Watson says something new of it. */
  hold(watson: Watson, key: string, { held, moment }: { readonly held: Held; readonly moment: Moment }): boolean {
    const owner = this.owner(key);
    const last = owner?.held.get(key)?.said;
    if (owner !== null && owner !== watson) {
      owner.held.delete(key);
      this.#resizeLease(owner);
    }
    const before = watson.held.get(key);
    const moved = last !== undefined && (last.url !== held.said.url || last.protocol !== held.said.protocol);
    if (moved) this.#announced.remove(key, last);
    if (moved || last === undefined) this.#announced.add(key, held.said);
    this.#owners.set(key, watson.identity.id);
    watson.held.set(key, held);
    this.#resizeLease(watson);
    this.#show(watson, key, held, moment);
    if (moved) this.#showBeside(key, last, moment);
    this.#showBeside(key, held.said, moment);
    return before === undefined || !sameRegistration(before.said, held.said);
  }

  drop(watson: Watson, key: string, moment: Moment): void {
    const { writer, services } = this.parts;
    const last = watson.held.get(key)?.said;
    watson.held.delete(key);
    this.#resizeLease(watson);
    this.#owners.delete(key);
    this.orders.leave(key);
    if (last !== undefined) {
      this.#announced.remove(key, last);
      this.#showBeside(key, last, moment);
    }
    const instance = writer.table.instance(key);
    if (instance === null) return;
    services.discount(instance);
    writer.removeInstance(key, moment.wallMs);
    this.#touched.add(instance.service);
  }

  /** Marks an instance as drained by an operator since `drainedMs`, or no longer. */
  setDrained(key: string, drainedMs: number | null, moment: Moment): void {
    if (drainedMs === null) this.#drained.delete(key);
    else this.#drained.set(key, drainedMs);
    const watson = this.owner(key);
    const held = watson?.held.get(key);
    if (watson === null || held === undefined) return;
    this.#show(watson, key, held, moment);
    this.settle(moment);
  }

  /** Brings what depends on instances in line with what changed of them; the last thing that every change does. */
  settle(moment: Moment): void {
    const { services, primaries } = this.parts;
    for (const name of this.#touched) {
      primaries.review(name, moment);
      services.refresh(name, { provisional: primaries.provisional(name), atMs: moment.wallMs });
    }
    this.#touched.clear();
  }

  /** An instance as a store keeps it; null when that Watson does not hold it. */
  stored({ identity, held }: Watson, key: string): StoredRegistration | null {
    const one = held.get(key);
    if (one === undefined) return null;
    return { watson: identity, registration: one.said, order: this.orders.of(key), sinceMs: one.saidSinceMs };
  }

  /** Makes the table show an instance as its Watson describes it, as far as that is in sight. */
  #show(watson: Watson, key: string, held: Held, { wallMs }: Moment): void {
    const { writer, services } = this.parts;
    const before = writer.table.instance(key);
    const { state, reason, since } = shownState(held, {
      lost: isOutOfSight(watson.seat) ? { name: watson.identity.name, sinceMs: watson.sinceMs } : null,
      replaced: watson.seat.state === "lost" ? this.#replacementOf(watson, key, held.said) : null,
      drainedMs: this.#drained.get(key) ?? null,
    });
    const instance: Instance = {
      ...held.said,
      state,
      reason,
      cause: state === "down" ? held.said.cause : null,
      since,
      order: this.orders.of(key),
    };
    const isNew = before?.order !== instance.order || before.since !== since;
    if (before !== null && !isNew && sameRegistration(before, instance)) return;
    if (before !== null) services.discount(before);
    services.count(instance);
    writer.putInstance(instance, wallMs);
    this.#touched.add(instance.service);
  }

  /**
   * Shows again the instances of lost Watsons that are announced at an address of this one: they are used only as long
   * as nobody says anything else of it.
   */
  #showBeside(key: string, said: Registration, moment: Moment): void {
    if (this.parts.leases.running === 0) return;
    for (const other of this.#announced.concerned(key, said)) {
      const watson = this.owner(other);
      const held = watson?.held.get(other);
      if (watson?.seat.state === "lost" && held !== undefined) this.#show(watson, other, held, moment);
    }
  }

  /**
   * What has been announced at the address of a lost instance since its Watson was last seen: fresh evidence against an
   * old word, be it live or down. Of a Watson that is connected, any word is.
   */
  #replacementOf(lost: Watson, key: string, said: Registration): Replacement | null {
    for (const other of this.#announced.beside(key, said)) {
      const watson = this.owner(other);
      const held = watson?.held.get(other);
      if (watson === null || held === undefined || watson === lost || !answersAlike(said, held.said)) continue;
      if (watson.seat.state === "lost" && held.saidSinceMs <= lost.sinceMs) continue;
      const sinceMs = Math.max(lost.sinceMs, held.saidSinceMs);
      return { key: other, watson: watson.identity.name, sinceMs };
    }
    return null;
  }

  /** Addresses at which Watsons that are connected announce different services: one program can be but one of them. */
  *contested(): Generator<Contested> {
    for (const { endpoint, keys } of this.#announced.shared()) {
      const seen = keys.flatMap((key) => {
        const watson = this.owner(key);
        const said = watson?.held.get(key)?.said;
        return watson === null || said === undefined || watson.seat.state === "lost" ? [] : [{ key, watson, said }];
      });
      const claims = seen.filter((one) =>
        seen.some(
          (other) =>
            other.watson !== one.watson &&
            other.said.service !== one.said.service &&
            answersAlike(one.said, other.said),
        ),
      );
      if (claims.length === 0) continue;
      yield { endpoint, claims: claims.map(({ key, watson }) => ({ key, watson: watson.identity.name })) };
    }
  }

  #resizeLease({ identity, seat, held }: Watson): void {
    if (seat.state === "lost") this.parts.leases.resize(identity.id, held.size);
  }
}

/** An address, and who announces what there. */
export interface Contested {
  readonly endpoint: string;
  /** Keys `SERVICE@INSTANCE`, and the names of their Watsons. */
  readonly claims: readonly { readonly key: string; readonly watson: string }[];
}

/** Whether a Watson is taken to be gone, rather than on its way back. */
function isOutOfSight(seat: Seat): boolean {
  return seat.state === "lost" && seat.presumed !== true;
}
