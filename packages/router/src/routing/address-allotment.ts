import { type Balance, parseBalance } from "@datawire/protocol";
import { splitTraffic, type TrafficSplit } from "@datawire/routing";
import type { Allotment, Seat, SeatPort } from "../engine/allotment.ts";
import type { Member } from "../engine/ports.ts";
import type { Outcome } from "../queue/delivery.ts";
import { balanced, choosePool, type InstanceState, looksAtMessage, looksInside, servedBy } from "./choice.ts";
import { type MessageFacts, readFacts } from "./facts.ts";
import { instanceOfFile, overlay, type OverlaySource, UNNAMED, UNNAMED_HERE } from "./overlay.ts";
import type { ServicePath } from "./service-of.ts";

/** Who has no credit for so long lends its share (section 3). */
const LENDS_AFTER_MS = 1_000;
/** Of so many messages that wait it is known who sent them, where routes go by that; of others any caller's hold. */
const CALLERS_MAX = 100_000;

/** What the allotment of one address works with. */
export interface AllotmentDeps {
  readonly table: OverlaySource;
  readonly nowMs: () => number;
  /** Counts changes of the table. */
  readonly revision: () => number;
  readonly reconsider: () => void;
  /** Whether a host is the machine of the router. */
  readonly isHere: (host: string) => boolean;
  /** A member came or went. */
  readonly joined: (service: string, member: Member) => void;
  readonly left: (service: string, member: Member) => void;
  /** A member said what became of a message. */
  readonly settled: (service: string, member: Member, outcome: Outcome) => void;
}

/** The links that are one instance here. */
interface Joined {
  readonly member: Member;
  readonly ports: Set<SeatPort>;
  /** When one of them could take a message last, as far as was seen. */
  wantedMs: number;
}

/** What the rules say while neither table nor members change. */
interface Plan {
  readonly revision: number;
  /** The split of any caller, and of those with routes of their own. */
  readonly splits: ReadonlyMap<string, TrafficSplit>;
  readonly served: ReadonlySet<string>;
  readonly policy: Balance | null;
  readonly looks: boolean;
  /** Whether everybody who receives may have everything. */
  readonly isOpen: boolean;
  /** What those are that say nothing, and come from this machine. */
  readonly here: Member | null;
}

const NO_FACTS: MessageFacts = { request: {}, groupId: null, subject: null, property: () => null };

/** The routes of a service for the messages of one address. */
export class AddressAllotment implements Allotment, InstanceState {
  readonly #name: string;
  readonly #of: ServicePath;
  readonly #deps: AllotmentDeps;
  readonly #madeMs: number;
  readonly #joined = new Map<string, Joined>();
  /** When whoever is not here went, for as long as that keeps its share for it: a link may be made anew meanwhile. */
  readonly #leftMs = new Map<string, number>();
  readonly #callers = new Map<number, string>();
  readonly #starved = new Set<string>();
  /** Until those that never were here have had the time to come. */
  #isNew = true;
  /** Null where no rules hold: the directory knows no such service. */
  #plan: Plan | null = null;
  #isPlanned = false;
  #plannedAt = -1;

  constructor(name: string, of: ServicePath, deps: AllotmentDeps) {
    this.#name = name;
    this.#of = of;
    this.#deps = deps;
    this.#madeMs = deps.nowMs();
  }

  join(member: Member | null, port: SeatPort): Seat {
    const name = member?.instance ?? (port.isLocal === true ? UNNAMED_HERE : UNNAMED);
    const known = this.#joined.get(name);
    const isSame = known !== undefined && known.member.version === (member?.version ?? null);
    // The last one to come says which version an instance has.
    const joined: Joined = isSame
      ? known
      : {
          member: member ?? { instance: name, version: null },
          ports: known?.ports ?? new Set(),
          wantedMs: this.#deps.nowMs(),
        };
    joined.ports.add(port);
    this.#joined.set(name, joined);
    this.#leftMs.delete(name);
    this.#changed();
    if (member !== null) this.#deps.joined(this.#of.service, member);
    const isServed = (): boolean => {
      const plan = this.#planned();
      return plan === null || plan.isOpen || plan.served.has(name);
    };
    const isPicky = (): boolean => {
      const plan = this.#planned();
      return plan !== null && !plan.isOpen;
    };
    return {
      get isServed() {
        return isServed();
      },
      get isPicky() {
        return isPicky();
      },
      mayTake: (record) => this.#mayTake(name, record),
      settled: (outcome) => {
        const known = member ?? (name === UNNAMED_HERE ? (this.#planned()?.here ?? null) : null);
        if (known !== null) this.#deps.settled(this.#of.service, known, outcome);
      },
      moved: () => this.#seen(name),
      leave: () => {
        const now = this.#joined.get(name);
        now?.ports.delete(port);
        if (now?.ports.size === 0) {
          this.#joined.delete(name);
          this.#leftMs.set(name, this.#deps.nowMs());
        }
        this.#changed();
        if (member !== null) this.#deps.left(this.#of.service, member);
      },
    };
  }

  note(sequence: number, caller: string | null): void {
    if (caller === null || this.#planned()?.splits.has(caller) !== true) return;
    this.#callers.set(sequence, caller);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > CALLERS_MAX && oldest !== undefined) this.#callers.delete(oldest);
  }

  tick(): boolean {
    const before = this.#starved.size;
    const nowMs = this.#deps.nowMs();
    let isNew = this.#plannedAt !== this.#deps.revision();
    if (this.#isNew && nowMs - this.#madeMs >= LENDS_AFTER_MS) {
      this.#isNew = false;
      isNew = true;
    }
    for (const [name, leftMs] of this.#leftMs) {
      if (nowMs - leftMs < LENDS_AFTER_MS) continue;
      this.#leftMs.delete(name);
      isNew = true;
    }
    for (const [name, joined] of this.#joined) {
      if (this.wants(name)) joined.wantedMs = nowMs;
      if (nowMs - joined.wantedMs < LENDS_AFTER_MS) this.#starved.delete(name);
      else if (!this.#starved.has(name)) {
        this.#starved.add(name);
        isNew = true;
      }
    }
    return isNew || this.#starved.size < before;
  }

  isStarved(name: string): boolean {
    if (!this.#joined.has(name)) {
      const sinceMs = this.#leftMs.get(name) ?? this.#madeMs;
      return this.#deps.nowMs() - sinceMs >= LENDS_AFTER_MS;
    }
    return this.#starved.has(name) && !this.wants(name);
  }

  wants(name: string): boolean {
    return this.#some(name, (port) => port.wants());
  }

  unsettled(name: string): number {
    let sum = 0;
    for (const { unsettled } of this.#joined.get(name)?.ports ?? []) sum += unsettled;
    return sum;
  }

  #mayTake(name: string, { sequence, payload }: Parameters<Seat["mayTake"]>[0]): boolean {
    const plan = this.#planned();
    if (plan === null || plan.isOpen) return true;
    if (!plan.served.has(name)) return false;
    const caller = this.#callers.get(sequence) ?? "*";
    const split = plan.splits.get(caller) ?? plan.splits.get("*");
    if (split === undefined) return true;
    const facts = plan.looks ? readFacts(payload, this.#of.path) : NO_FACTS;
    const pool = choosePool(split, { service: this.#of.service, sequence, facts });
    const able = balanced(pool, plan.policy, { sequence, name: this.#name, facts, state: this });
    if (able.length > 0) return able.includes(name);
    // Nobody whom it is for has had credit for a while: whoever has takes it, but for a version that is held.
    return pool.length > 0 && pool.every((one) => this.isStarved(one)) && !this.isStarved(name);
  }

  #seen(name: string): void {
    const joined = this.#joined.get(name);
    if (joined !== undefined) joined.wantedMs = this.#deps.nowMs();
    if (this.#starved.delete(name)) this.#deps.reconsider();
  }

  #some(name: string, test: (port: SeatPort) => boolean): boolean {
    for (const port of this.#joined.get(name)?.ports ?? []) if (test(port)) return true;
    return false;
  }

  #changed(): void {
    this.#isPlanned = false;
    this.#deps.reconsider();
  }

  #planned(): Plan | null {
    const revision = this.#deps.revision();
    if (this.#isPlanned && this.#plannedAt === revision) return this.#plan;
    const isNews = this.#isPlanned;
    this.#isPlanned = true;
    this.#plannedAt = revision;
    this.#plan = this.#makePlan(revision);
    // What one has passed over, as it was another's, may be its own now.
    if (isNews) this.#deps.reconsider();
    return this.#plan;
  }

  #makePlan(revision: number): Plan | null {
    const { service } = this.#of;
    const all = [...this.#joined.values()].map(({ member }) => member);
    const members = all.filter(({ instance }) => !isUnnamed(instance));
    const unnamed = all.map(({ instance }) => instance).filter(isUnnamed);
    const known = unnamed.length === 0 ? null : this.#deps.table.service(service);
    const ofFile = known && instanceOfFile(known, this.#deps.isHere);
    const reader = overlay(this.#deps.table, service, { members, unnamed, here: ofFile });
    const view = reader?.service(service) ?? null;
    if (reader === null || view === null) return null;
    const callers = ["*", ...view.tables.map(({ caller }) => caller)];
    const splits = new Map<string, TrafficSplit>();
    for (const caller of callers) {
      const split = splitTraffic(reader, service, { caller, zone: null });
      if (split !== null) splits.set(caller, split);
    }
    const served = new Set([...splits.values()].flatMap((split) => [...servedBy(split)]));
    const { balance } = view.service.settings;
    const policy = balance === null ? null : parseBalance(balance);
    const any = splits.get("*");
    const isEven = policy === null || policy.kind === "round-robin" || policy.kind === "cookie";
    const isOpen =
      isEven &&
      view.tables.length === 0 &&
      any?.shares.length === 1 &&
      all.every(({ instance }) => served.has(instance));
    const looks =
      looksAtMessage(policy) ||
      (policy?.kind === "consistent" && policy.by === "header") ||
      [...splits.values()].some(looksInside);
    const here = ofFile && { instance: ofFile.name, version: ofFile.version };
    return { revision, splits, served, policy, looks, isOpen, here };
  }
}

const isUnnamed = (instance: string): boolean => instance === UNNAMED || instance === UNNAMED_HERE;
