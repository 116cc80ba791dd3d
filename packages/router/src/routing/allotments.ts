import type { Clock } from "@datawire/runtime";
import { allotAll, type Allot, type Allotment } from "../engine/allotment.ts";
import type { Member } from "../engine/ports.ts";
import type { Outcome } from "../queue/delivery.ts";
import { AddressAllotment } from "./address-allotment.ts";
import type { OverlaySource } from "./overlay.ts";
import { serviceOf } from "./service-of.ts";

/** An instance that receives here, and of which service. */
export interface Registered {
  readonly service: string;
  readonly member: Member;
}

/** What an instance has settled. */
export interface Settled extends Registered {
  accepted: number;
  /** Rejected, or given back as delivered in vain. */
  failed: number;
}

/** The allotments of all addresses, and the instances that receive at them. */
export class Allotments {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #isHere: (host: string) => boolean;
  readonly #members = new Map<string, Registered & { count: number }>();
  #settled = new Map<string, Settled>();
  #table: OverlaySource | null = null;
  #tenant: string | null = null;
  #revision = 0;
  #onMembers: () => void = () => {};

  /** @param isHere whether a host is this machine. */
  constructor(clock: Pick<Clock, "monotonicMs">, isHere: (host: string) => boolean) {
    this.#clock = clock;
    this.#isHere = isHere;
  }

  /** Goes by a table from now on. @param onMembers called when somebody came or went. */
  follow(table: OverlaySource, onMembers: () => void): void {
    this.#table = table;
    this.#onMembers = onMembers;
    this.changed();
  }

  /** Whose table it is; null for those without a tenant. */
  belongTo(tenant: string | null): void {
    this.#tenant = tenant;
    this.changed();
  }

  /** The table says something new. */
  changed(): void {
    this.#revision++;
  }

  /** The instances that receive here. */
  members(): readonly Registered[] {
    return [...this.#members.values()];
  }

  /** What instances have settled since this was asked last. */
  takeSettled(): readonly Settled[] {
    const settled = [...this.#settled.values()];
    this.#settled = new Map();
    return settled;
  }

  /** Of one address. */
  readonly allot: Allot = (name, reconsider): Allotment => {
    const of = serviceOf(name, this.#tenant);
    if (of === null) return allotAll(name, reconsider);
    return new AddressAllotment(name, of, {
      table: {
        service: (asked) => this.#table?.service(asked) ?? null,
        instance: (key) => this.#table?.instance(key) ?? null,
      },
      nowMs: () => this.#clock.monotonicMs(),
      revision: () => this.#revision,
      reconsider,
      isHere: this.#isHere,
      joined: (service, member) => this.#count(service, member, 1),
      left: (service, member) => this.#count(service, member, -1),
      settled: (service, member, outcome) => this.#settle(service, member, outcome),
    });
  };

  #settle(service: string, member: Member, { outcome, ...more }: Outcome): void {
    const isFailed = outcome === "rejected" || ("failed" in more && more.failed);
    // Where nobody asks, nothing is to be told.
    if (this.#table === null || (!isFailed && outcome !== "accepted")) return;
    const key = `${service}@${member.instance}`;
    const settled = this.#settled.get(key) ?? { service, member, accepted: 0, failed: 0 };
    if (isFailed) settled.failed++;
    else settled.accepted++;
    this.#settled.set(key, settled);
  }

  #count(service: string, member: Member, change: 1 | -1): void {
    const key = `${service}@${member.instance}`;
    const count = (this.#members.get(key)?.count ?? 0) + change;
    if (count <= 0) this.#members.delete(key);
    // The last one to come says which version an instance has.
    else
      this.#members.set(key, {
        service,
        member: change === 1 ? member : (this.#members.get(key)?.member ?? member),
        count,
      });
    this.#onMembers();
  }
}
