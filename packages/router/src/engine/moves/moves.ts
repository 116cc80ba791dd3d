import type { Clock } from "@datawire/runtime";
import { plainName } from "../../address/scope.ts";
import type { MessageTimes, Moving } from "../../queue/storage.ts";
import { Queue } from "../../queue/queue.ts";
import type { Broker } from "../broker.ts";
import { KeptAddress } from "../kept-address.ts";
import type { Source, SourcePort } from "../ports.ts";
import { Refused } from "../refused.ts";
import { admit, timeLeft, whyNotTaken } from "./mover.ts";

/** Some messages of a move, in their order. */
export interface MovedBatch {
  /** Of the move. */
  readonly id: string;
  /** How many of the move came before. */
  readonly first: number;
  readonly payloads: readonly Uint8Array[];
  /** How long each still has, 0 for no end. */
  readonly ttls: readonly number[];
}

/** A queue of another process. */
export interface FarQueue {
  /** Resolves when they are on disk there. */
  take(batch: MovedBatch): Promise<unknown>;
  /** How many of a move are on disk there; no more of it are taken from then on. @throws where nobody can say now. */
  taken(id: string): Promise<number>;
}

/** What moves work with. */
export interface MovesDeps {
  readonly clock: Pick<Clock, "setTimer">;
  readonly nowMs: () => number;
  /** Calls back once what came before was let into the log. */
  readonly later: (callback: () => void) => void;
  /** An address that is here; null for none. */
  readonly find: (name: string) => KeptAddress | null;
  /** An address that another process has; null for one that is here. */
  readonly far: (name: string) => FarQueue | null;
}

/** A batch that may have been taken. */
interface Unknown {
  readonly from: KeptAddress;
  readonly moving: Moving;
  readonly source: Source;
}

/** How many messages are on their way at once. */
const AT_ONCE = 200;
/** And how many bytes of them; one message may be more. */
const BYTES_AT_ONCE = 2 ** 20;
/** How often the other process is asked what became of a batch. */
const ASK_MS = 1_000;
/** How many ended moves are remembered, of which nothing more is taken. */
const ENDED_MAX = 1_000;

/**
 * Moves messages between the queues of two processes, each message once, whichever process is killed, and whenever. The
 * log here notes which messages are on their way before they go; the log there notes which of them came, as for a
 * producer. A message on its way is given to nobody until the other process has said which ones it has.
 */
export class Moves {
  readonly #deps: MovesDeps;
  readonly #unknown = new Set<Unknown>();
  readonly #ended = new Set<string>();
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(deps: MovesDeps) {
    this.#deps = deps;
  }

  /**
   * Moves what no consumer has.
   * @param id of this move, of which there is no other anywhere.
   * @param to a queue of another process, where `far` takes them.
   * @returns how many.
   * @throws Refused with what the other process says, and how many were moved before.
   */
  async away(from: KeptAddress, far: FarQueue, { id, to }: Pick<Moving, "id" | "to">): Promise<number> {
    const { kept } = from;
    if (!(kept instanceof Queue)) return 0;
    // What comes meanwhile stays.
    const max = kept.messages - kept.unsettled;
    const taker = new Taker(max);
    const source = from.openQueueSource(kept, taker);
    let moved = 0;
    let isKnown = true;
    try {
      while (!from.isGone && moved < max) {
        const batch = await taker.take(source, max - moved);
        if (batch.length === 0) break;
        const moving = { id, to, first: moved, sequences: batch.map(({ sequence }) => sequence) };
        await begin(from, moving);
        const payloads = batch.map(({ payload }) => payload);
        try {
          await far.take({ id, first: moved, payloads, ttls: batch.map((one) => timeLeft(one, this.#deps.nowMs())) });
        } catch (error) {
          const taken = await far.taken(id).catch(() => null);
          isKnown = taken !== null;
          if (taken === null) this.#wait({ from, moving, source });
          else moved += settle({ from, moving, source }, taken);
          throw error;
        }
        moved += settle({ from, moving, source }, moved + batch.length);
      }
      return moved;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const rest = isKnown ? "" : `; what is on its way is settled when ${plainName(to)} is there again`;
      throw new Refused(error.condition, `${error.message}; ${moved} of ${max} were moved${rest}`);
    } finally {
      if (isKnown) {
        end(from, id);
        source.detach(true);
      }
    }
  }

  /** Takes messages of another process. @returns when they are on disk, how many. @throws Refused */
  take(to: KeptAddress, { id, first, payloads, ttls }: MovedBatch): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#deps.later(() => {
        const refusal = whyNotTaken(to, this.#ended.has(id));
        if (refusal !== null) return reject(refusal);
        const acceptedAtMs = this.#deps.nowMs();
        for (const [index, payload] of payloads.entries()) {
          const keys = { producer: { name: producerOf(id), sequence: first + index + 1 } };
          if (to.dedupe.has(keys, acceptedAtMs)) continue;
          const full = admit(to, payload.length); // how many came before is asked for
          if (full !== null) return reject(full);
          to.dedupe.add(keys, acceptedAtMs);
          to.kept.append({ acceptedAtMs, ttlMs: ttls[index] ?? 0, keys, payload });
          to.counters.in++;
        }
        to.storage.whenDurable(() => resolve(payloads.length));
      });
    });
  }

  /** How many messages of a move are here, on disk; from now on none of it is taken. */
  taken(name: string, id: string): Promise<number> {
    return new Promise((resolve) => {
      this.#deps.later(() => {
        this.#ended.add(id);
        if (this.#ended.size > ENDED_MAX) this.#ended.delete(this.#ended.values().next().value ?? "");
        const to = this.#deps.find(name);
        if (to === null) return resolve(0);
        const taken = to.dedupe.lastOf(producerOf(id));
        to.storage.whenDurable(() => resolve(taken));
      });
    });
  }

  /** Takes what was on its way when the process last ended, before any consumer can get it. */
  hold(addresses: Iterable<KeptAddress>): void {
    for (const from of addresses) {
      const { kept } = from;
      if (!(kept instanceof Queue)) continue;
      for (const moving of from.moves.values()) {
        this.#unknown.add({ from, moving, source: from.openQueueSource(kept, new Taker(0), moving.sequences) });
      }
    }
  }

  /** Asks what became of that, as soon as others can be asked. */
  resume(): void {
    if (this.#unknown.size > 0) void this.#ask();
  }

  /** Stops asking other processes: the log says what to ask at the next start. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #wait(unknown: Unknown | null = null): void {
    if (unknown !== null) this.#unknown.add(unknown);
    if (this.#isClosed || this.#unknown.size === 0) return;
    this.#cancel ??= this.#deps.clock.setTimer(ASK_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    for (const one of this.#unknown) {
      const { id, to } = one.moving;
      const far = this.#deps.far(to);
      const taken = await (far === null ? this.taken(to, id) : far.taken(id)).catch(() => null);
      if (this.#isClosed) return;
      if (taken === null || !this.#unknown.delete(one)) continue;
      settle(one, taken);
      end(one.from, id);
      one.source.detach(true);
    }
    this.#wait();
  }
}

/** The moves of a process, which go on with what was on its way when it ended last. */
export function openMoves(
  broker: Pick<Broker, "kept" | "find" | "intake" | "nowMs">,
  deps: Pick<MovesDeps, "clock" | "far">,
): Moves {
  const moves = new Moves({
    ...deps,
    nowMs: broker.nowMs,
    later: (next) => broker.intake.whenTaking(next),
    find(name) {
      const found = broker.find(name);
      return found instanceof KeptAddress ? found : null;
    },
  });
  moves.hold(broker.kept);
  return moves;
}

interface Taken extends MessageTimes {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Takes some messages out of a queue at a time. */
class Taker implements SourcePort {
  readonly filter = null;
  #batch: Taken[] = [];
  #bytes = 0;
  #max: number;
  #filled: (() => void) | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  get credit(): number {
    return this.#filled === null ? 0 : AT_ONCE - this.#batch.length;
  }

  /** @returns none where there are none. */
  async take(source: Source, max: number): Promise<readonly Taken[]> {
    this.#batch = [];
    this.#bytes = 0;
    this.#max = Math.min(AT_ONCE, max);
    const isFilled = new Promise<void>((resolve) => (this.#filled = resolve));
    source.pump();
    await isFilled;
    return this.#batch;
  }

  wants(): boolean {
    return this.#filled !== null && this.#batch.length < this.#max && this.#bytes < BYTES_AT_ONCE;
  }

  deliver({ sequence, record }: Parameters<SourcePort["deliver"]>[0]): void {
    const { ttlMs, acceptedAtMs } = record;
    this.#batch.push({ sequence, payload: Uint8Array.from(record.payload), ttlMs, acceptedAtMs });
    this.#bytes += record.payload.length;
    if (!this.wants()) this.#end();
  }

  exhausted(): void {
    this.#end();
  }

  gone(): void {
    this.#end();
  }

  stolen(): void {
    this.#end();
  }

  #end(): void {
    this.#filled?.();
    this.#filled = null;
  }
}

/** Notes in the log which messages go. Resolves when that is on disk. */
async function begin(from: KeptAddress, moving: Moving): Promise<void> {
  from.moves.set(moving.id, moving);
  from.storage.moving(moving);
  await new Promise<void>((resolve) => from.storage.whenDurable(resolve));
}

/** Takes out what is at the other queue, and gives back the rest. @returns how many are there. */
function settle({ moving: { first, sequences }, source }: Unknown, taken: number): number {
  const count = Math.min(Math.max(taken - first, 0), sequences.length);
  sequences.forEach((sequence, index) => source.settle(sequence, { outcome: index < count ? "accepted" : "released" }));
  return count;
}

function end(from: KeptAddress, id: string): void {
  if (!from.moves.delete(id) || from.isGone) return;
  from.storage.movingEnded(id);
}

/** What the messages of a move are known by where they come to. */
const producerOf = (id: string): string => `move ${id}`;
