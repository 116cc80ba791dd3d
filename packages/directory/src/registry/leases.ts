/** The limits of the guard, which keeps many leases from ending at once. */
export interface GuardLimits {
  /** From 0 to 1: when the leases of more than this share of all instances would end, none of them ends. */
  readonly share: number;
  /** The guard lets fewer than this many instances end in any case. */
  readonly minimum: number;
}

/** What the guard holds back, in words for `dw status`. */
export interface GuardHold {
  /** How many instances. */
  readonly held: number;
  /** The Watsons that they are held from. */
  readonly watsons: readonly string[];
  readonly reason: string;
}

/** What the leases are set to. */
export interface LeaseConfig {
  /** How long a Watson that is out of sight keeps its instances. */
  readonly leaseMs: number;
  readonly guard: GuardLimits;
}

/** Holds back leases that are over where so many end at once that their instances are unlikely to be dead. */
export interface Guard {
  /** What is held back since the last look; null when nothing is. */
  readonly held: GuardHold | null;
  /** Guards by other limits from now on. */
  configure(limits: GuardLimits): void;
  /**
   * `dw guard release`: what is out of sight now ends with its lease, however much that is. Returns how many instances
   * that the guard held end at once, which is none when it held none.
   */
  release(): number;
}

interface Lease {
  readonly endsMs: number;
  readonly instances: number;
  /** An operator let it end. */
  readonly released: boolean;
}

/**
 * The leases of the Watsons that are out of sight. A lease that ends takes its instances with it, unless so many
 * would end at about the same time that the cause is more likely a network or a directory than their death.
 */
export class Leases implements Guard {
  readonly #leaseMs: number;
  #limits: GuardLimits;
  /** By Watson, the one that ends first in front: all of these are equally long, so the order of starting is that of ending. */
  readonly #running = new Map<string, Lease>();
  /** Those that have a length of their own, in no order: of nodes of the original MDK that are out of sight. */
  readonly #own = new Map<string, Lease>();
  /** What ended within the last lease, as a mass loss is one even if its leases end one by one. */
  #ended: { readonly atMs: number; readonly instances: number }[] = [];
  #lost = 0;
  #held: GuardHold | null = null;

  constructor(leaseMs: number, limits: GuardLimits) {
    this.#leaseMs = leaseMs;
    this.#limits = limits;
  }

  /** What is held back since the last look; null when nothing is. */
  get held(): GuardHold | null {
    return this.#held;
  }

  /** How many leases run: of all Watsons that are out of sight, or have not stated their sets yet. */
  get running(): number {
    return this.#running.size + this.#own.size;
  }

  /** Guards by other limits from now on. */
  configure(limits: GuardLimits): void {
    this.#limits = limits;
  }

  /**
   * Starts the lease of a Watson that is out of sight, or starts it again.
   * @param ownEndMs when it ends, for one that has a lease of its own; default: after the lease of all.
   */
  start(watson: string, instances: number, nowMs: number, ownEndMs: number | null = null): void {
    this.stop(watson);
    const lanes = ownEndMs === null ? this.#running : this.#own;
    lanes.set(watson, { endsMs: ownEndMs ?? nowMs + this.#leaseMs, instances, released: false });
    this.#lost += instances;
  }

  /** Ends the count-down: the Watson has stated its set, or its instances are gone. */
  stop(watson: string): void {
    const lane = this.#laneOf(watson);
    this.#lost -= lane.get(watson)?.instances ?? 0;
    lane.delete(watson);
  }

  /** The Watson of a running lease holds more or fewer instances than before. */
  resize(watson: string, instances: number): void {
    const lane = this.#laneOf(watson);
    const lease = lane.get(watson);
    if (lease === undefined) return;
    this.#lost += instances - lease.instances;
    lane.set(watson, { ...lease, instances });
  }

  /**
   * The Watsons whose leases are over, which are then forgotten here; none while the guard holds.
   * @param registered how many instances there are, those out of sight included.
   */
  end(nowMs: number, registered: number): string[] {
    const due: [string, Lease][] = [];
    for (const [watson, lease] of this.#running) {
      if (lease.endsMs > nowMs) break;
      due.push([watson, lease]);
    }
    for (const [watson, lease] of this.#own) if (lease.endsMs <= nowMs) due.push([watson, lease]);
    this.#ended = this.#ended.filter(({ atMs }) => atMs > nowMs - this.#leaseMs);
    this.#held = this.#judge(
      due.filter(([, lease]) => !lease.released),
      registered,
    );
    const ending = this.#held === null ? due : due.filter(([, lease]) => lease.released);
    for (const [watson, lease] of ending) {
      this.stop(watson);
      if (!lease.released) this.#ended.push({ atMs: nowMs, instances: lease.instances });
    }
    return ending.map(([watson]) => watson);
  }

  /**
   * `dw guard release`: what is out of sight now ends with its lease, however much that is. Returns how many instances
   * that the guard held end at once, which is none when it held none.
   */
  release(): number {
    if (this.#held === null) return 0;
    const { held } = this.#held;
    for (const lane of [this.#running, this.#own])
      for (const [watson, lease] of lane) lane.set(watson, { ...lease, released: true });
    this.#ended = [];
    return held;
  }

  #laneOf(watson: string): Map<string, Lease> {
    return this.#own.has(watson) ? this.#own : this.#running;
  }

  #judge(due: readonly (readonly [string, Lease])[], registered: number): GuardHold | null {
    const held = due.reduce((sum, [, lease]) => sum + lease.instances, 0);
    if (held === 0) return null;
    const ended = this.#ended.reduce((sum, { instances }) => sum + instances, 0);
    const affected = this.#lost + ended;
    const all = registered + ended;
    const { share, minimum } = this.#limits;
    if (affected < minimum || affected <= share * all) return null;
    const percent = Math.round((affected / all) * 100);
    const reason =
      `${affected} of ${all} instances (${percent}%) are out of sight at once, more than ${Math.round(share * 100)}%: ` +
      `their leases are held, and they stay in use`;
    return { held, watsons: due.map(([watson]) => watson), reason };
  }
}
