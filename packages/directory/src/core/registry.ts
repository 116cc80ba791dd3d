import type { Instance, InstanceState, Registration } from "@datawire/protocol";
import { instanceKey, ProtocolError, type ErrorCode } from "@datawire/protocol";
import { admit } from "./admission.ts";
import type { Leases } from "./leases.ts";
import type { Moment } from "./moment.ts";
import type { Primaries } from "./primaries.ts";
import type { StoredRegistration } from "./records.ts";
import { Orders } from "./orders.ts";
import type { Services } from "./services.ts";
import type { TableWriter } from "./table-writer.ts";

/** Who a Watson is: a random id that it keeps, and the machine that it runs on. */
export interface WatsonIdentity {
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

/** What is held from one Watson. */
export interface Holder extends WatsonIdentity {
  /** `lost` from the moment that its connection breaks until it has stated its set again. */
  readonly state: "connected" | "lost";
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

interface Watson {
  identity: WatsonIdentity;
  state: Holder["state"];
  sinceMs: number;
  readonly held: Map<string, Held>;
}

interface Held {
  readonly said: Registration;
  /** Since when its Watson says what it says of the state. */
  readonly saidSinceMs: number;
}

interface Parts {
  readonly writer: TableWriter;
  readonly services: Services;
  readonly primaries: Primaries;
  readonly leases: Leases;
}

/**
 * Who is registered, and by whom. A Watson's word is the truth about its own instances and about nothing else; losing
 * sight of it changes `live` into `lost`, and only the end of its lease takes its instances away.
 */
export class Registry {
  readonly #parts: Parts;
  readonly #watsons = new Map<string, Watson>();
  /** Instance key → the id of the Watson that holds it. Every key in a `held` is here, with that Watson, and no other. */
  readonly #owners = new Map<string, string>();
  readonly #drained = new Set<string>();
  readonly #orders = new Orders();
  /** Keys whose registration changed since it was last saved. */
  readonly #unsaved = new Set<string>();
  /** Services whose instances changed within the call in progress. */
  readonly #touched = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  holder(id: string): Holder | null {
    const watson = this.#watsons.get(id);
    return watson === undefined ? null : holderOf(watson);
  }

  holders(): Holder[] {
    return [...this.#watsons.values()].map(holderOf);
  }

  /** The Watson that holds an instance. */
  ownerOf(key: string): WatsonIdentity | null {
    return this.#watsons.get(this.#owners.get(key) ?? "")?.identity ?? null;
  }

  /** The instances of a Watson that an operator has drained. */
  drainedOf(id: string): string[] {
    return [...(this.#watsons.get(id)?.held.keys() ?? [])].filter((key) => this.#drained.has(key));
  }

  /** A Watson has connected and will state its set; what is held from it stays as it is, for another lease, until then. */
  connect(identity: WatsonIdentity, { wallMs, monotonicMs }: Moment): void {
    const watson = this.#watsons.get(identity.id);
    if (watson === undefined) {
      this.#watsons.set(identity.id, { identity, state: "lost", sinceMs: wallMs, held: new Map() });
    } else {
      watson.identity = identity;
      this.#parts.leases.start(identity.id, watson.held.size, monotonicMs);
    }
  }

  /** Takes a Watson's whole set: what is held from it beyond the set goes. */
  register(id: string, registrations: readonly Registration[], word: Word): Refusal[] {
    const watson = this.#watson(id);
    this.#parts.leases.stop(id);
    if (watson.state === "lost") {
      watson.state = "connected";
      watson.sinceMs = word.moment.wallMs;
    }
    const { taken, refused } = this.#take(watson, registrations, word);
    for (const key of watson.held.keys()) if (!taken.has(key)) this.#drop(watson, key, word.moment);
    this.#settle(word.moment);
    return refused;
  }

  /** Takes what changed in a Watson's set since it stated it. */
  update(
    id: string,
    { instances, gone }: { readonly instances: readonly Registration[]; readonly gone: readonly string[] },
    word: Word,
  ): Refusal[] {
    const watson = this.#watson(id);
    if (watson.state === "lost")
      throw new ProtocolError("invalid_argument", "Cannot take an update before the whole set: send register first");
    for (const key of gone) if (watson.held.has(key)) this.#drop(watson, key, word.moment);
    const { refused } = this.#take(watson, instances, word);
    // What its Watson now describes in a way that cannot be used must not stay in use as it was described before.
    for (const { instance } of refused) if (watson.held.has(instance)) this.#drop(watson, instance, word.moment);
    this.#settle(word.moment);
    return refused;
  }

  /** The connection of a Watson broke. One that held nothing is forgotten: it has left cleanly. */
  break(id: string, moment: Moment): void {
    const watson = this.#watsons.get(id);
    if (watson === undefined) return;
    if (watson.held.size === 0) {
      this.#forget(id);
      return;
    }
    this.#parts.leases.start(id, watson.held.size, moment.monotonicMs);
    if (watson.state === "lost") return;
    watson.state = "lost";
    watson.sinceMs = moment.wallMs;
    for (const [key, held] of watson.held) this.#show(watson, key, held, moment);
    this.#settle(moment);
  }

  /** Takes away what leases that are over held. Returns how many instances ended. */
  endLeases(moment: Moment): number {
    const ended = this.#parts.leases.end(moment.monotonicMs, this.#owners.size);
    let instances = 0;
    for (const id of ended) {
      const watson = this.#watson(id);
      instances += watson.held.size;
      for (const key of watson.held.keys()) this.#drop(watson, key, moment);
      this.#watsons.delete(id);
    }
    if (ended.length > 0) this.#settle(moment);
    return instances;
  }

  /** Marks an instance as drained by an operator, or no longer. */
  setDrained(key: string, drained: boolean, moment: Moment): void {
    if (drained) this.#drained.add(key);
    else this.#drained.delete(key);
    const watson = this.#watsons.get(this.#owners.get(key) ?? "");
    const held = watson?.held.get(key);
    if (watson === undefined || held === undefined) return;
    this.#show(watson, key, held, moment);
    this.#settle(moment);
  }

  isDrained(key: string): boolean {
    return this.#drained.has(key);
  }

  /** Brings back what was registered before a restart, as lost: each Watson has one lease to state it again. */
  restore(stored: readonly StoredRegistration[], moment: Moment): void {
    for (const { watson: identity, registration, order, sinceMs } of stored) {
      const key = instanceKey(registration);
      const watson: Watson = this.#watsons.get(identity.id) ?? {
        identity,
        state: "lost",
        sinceMs: moment.wallMs,
        held: new Map(),
      };
      this.#watsons.set(identity.id, watson);
      this.#orders.restore(key, order);
      this.#hold(watson, key, { said: registration, saidSinceMs: sinceMs }, moment);
    }
    for (const [id, { held }] of this.#watsons) this.#parts.leases.start(id, held.size, moment.monotonicMs);
    this.#unsaved.clear();
    this.#settle(moment);
  }

  /** What changed since the last call, for the store: registrations as they are now, and keys that are gone. */
  takeUnsaved(): { readonly stored: StoredRegistration[]; readonly gone: string[] } {
    const stored: StoredRegistration[] = [];
    const gone: string[] = [];
    for (const key of this.#unsaved) {
      const watson = this.#watsons.get(this.#owners.get(key) ?? "");
      const held = watson?.held.get(key);
      if (watson === undefined || held === undefined) gone.push(key);
      else
        stored.push({
          watson: watson.identity,
          registration: held.said,
          order: this.#orders.of(key),
          sinceMs: held.saidSinceMs,
        });
    }
    this.#unsaved.clear();
    return { stored, gone };
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
      this.#hold(watson, key, { said, saidSinceMs: same ? before.saidSinceMs : word.moment.wallMs }, word.moment);
    }
    return { taken, refused };
  }

  #admitted(watson: Watson) {
    const { services, writer } = this.#parts;
    return {
      services,
      instances: this.#owners.size,
      servicesKnown: writer.table.size.services,
      instance: (key: string) => writer.table.instance(key),
      liveHolder: (key: string): string | null => {
        const owner = this.#watsons.get(this.#owners.get(key) ?? "");
        return owner === undefined || owner === watson || owner.state === "lost" ? null : owner.identity.name;
      },
    };
  }

  /** Holds an instance from a Watson, taking it over from one that is out of sight. */
  #hold(watson: Watson, key: string, held: Held, moment: Moment): void {
    const owner = this.#owners.get(key);
    if (owner !== undefined && owner !== watson.identity.id) {
      const other = this.#watson(owner);
      other.held.delete(key);
      this.#parts.leases.shrink(owner, other.held.size);
    }
    const before = watson.held.get(key);
    this.#owners.set(key, watson.identity.id);
    watson.held.set(key, held);
    if (before === undefined || !sameRegistration(before.said, held.said)) this.#unsaved.add(key);
    this.#show(watson, key, held, moment);
  }

  /** Makes the table show an instance as its Watson describes it, as far as that is in sight. */
  #show(watson: Watson, key: string, held: Held, { wallMs }: Moment): void {
    const { writer, services } = this.#parts;
    const before = writer.table.instance(key);
    const { state, reason } = shownState(held.said, {
      lost: watson.state === "lost" ? watson.identity.name : null,
      drained: this.#drained.has(key),
    });
    const since = before?.state === state ? before.since : state === held.said.state ? held.saidSinceMs : wallMs;
    const instance: Instance = { ...held.said, state, reason, since, order: this.#orders.of(key) };
    if (before !== null && sameRegistration(before, instance)) return;
    if (before !== null) services.discount(before);
    services.count(instance);
    writer.putInstance(instance, wallMs);
    this.#touched.add(instance.service);
  }

  #drop(watson: Watson, key: string, { wallMs }: Moment): void {
    const { writer, services } = this.#parts;
    watson.held.delete(key);
    this.#owners.delete(key);
    this.#orders.leave(key);
    this.#unsaved.add(key);
    const instance = writer.table.instance(key);
    if (instance === null) return;
    services.discount(instance);
    writer.removeInstance(key, wallMs);
    this.#touched.add(instance.service);
  }

  #settle(moment: Moment): void {
    const { services, primaries } = this.#parts;
    for (const name of this.#touched) {
      primaries.review(name, moment);
      services.refresh(name, { provisional: primaries.provisional(name), atMs: moment.wallMs });
    }
    this.#touched.clear();
  }

  #forget(id: string): void {
    this.#parts.leases.stop(id);
    this.#watsons.delete(id);
  }

  #watson(id: string): Watson {
    const watson = this.#watsons.get(id);
    if (watson === undefined) throw new Error(`Cannot find Watson ${id}: it never connected`);
    return watson;
  }
}

function holderOf({ identity, state, sinceMs, held }: Watson): Holder {
  return { ...identity, state, sinceMs, instances: held.size };
}

/** What others are told of an instance: its Watson's word, unless an operator or a lost link says otherwise. */
function shownState(
  said: Registration,
  { lost, drained }: { readonly lost: string | null; readonly drained: boolean },
): { readonly state: InstanceState; readonly reason: string | null } {
  if (said.state !== "live") return { state: said.state, reason: said.reason };
  if (drained) return { state: "draining", reason: "drained by an operator" };
  // Only what was live becomes lost, and stays in use: a lost link brings nothing back to life.
  if (lost !== null) return { state: "lost", reason: `the Watson on ${lost} is out of sight` };
  return { state: "live", reason: said.reason };
}

const REGISTRATION_FIELDS = [
  "state",
  "url",
  "version",
  "reason",
  "protocol",
  "weight",
  "zone",
  "proxyPort",
  "drainMs",
] as const satisfies readonly (keyof Registration)[];

/** Whether two descriptions of one instance say the same. */
function sameRegistration(a: Registration | Instance, b: Registration | Instance): boolean {
  return REGISTRATION_FIELDS.every((field) => a[field] === b[field]) && a.tags.join("\0") === b.tags.join("\0");
}
