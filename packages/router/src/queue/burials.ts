import type { MessageRecord } from "../log/record.ts";
import type { Dead } from "./delivery.ts";
import { Reader } from "./reader.ts";
import type { Place, QueueDeps } from "./storage.ts";

/** How many may wait before whoever makes them is to make no more, and how many are appended before others have their turn. */
export const BURIALS_MAX = 1_000;
const AT_ONCE = 200;

/** By whom a message is given to the dead letters. */
export interface BurialOwner {
  /** It was appended there: here it is over, with the same write. */
  buried(sequence: number): void;
  /** It cannot be read, and may be the next time. */
  stays(sequence: number): void;
  /** It was dropped or removed meanwhile. */
  gone(sequence: number): void;
}

interface Burial {
  readonly sequence: number;
  readonly reason: string;
  readonly owner: BurialOwner;
  readonly over: () => void;
}

interface BurialDeps extends Pick<QueueDeps, "storage" | "pace" | "onUnreadable"> {
  readonly placeOf: (sequence: number) => Place | null;
  readonly bury: (dead: Dead) => void;
  /** None waits any more. */
  readonly emptied: () => void;
}

/**
 * Messages of one address on their way to the dead letters. They are read and appended as fast as the disk takes them, as each
 * is copied: a backlog that expires at once, or is rejected while the disk is full, would be in memory as a whole.
 */
export class Burials {
  readonly #deps: BurialDeps;
  #waiting: Burial[] = [];
  /** How many of them are done with. */
  #done = 0;
  #isBusy = false;

  constructor(deps: BurialDeps) {
    this.#deps = deps;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length - this.#done;
  }

  /**
   * Takes a message, at once where it is in memory and the disk keeps up.
   * @param over called once what follows has been appended, or nothing does.
   */
  add(sequence: number, reason: string, owner: BurialOwner, over: () => void = nothing): void {
    const { placeOf, storage, pace } = this.#deps;
    const burial = { sequence, reason, owner, over };
    const place = placeOf(sequence);
    if (place === null) return this.#gone(burial);
    const record = this.size === 0 && !this.#isBusy ? storage.peek(place) : null;
    if (record !== null && pace.admits(record.payload.length)) return this.#bury(burial, record);
    this.#waiting.push(burial);
    this.#await();
  }

  #await(): void {
    if (this.#isBusy || this.size === 0) return;
    this.#isBusy = true;
    this.#deps.pace.whenTaking(() => {
      this.#isBusy = false;
      this.#next();
    });
  }

  #next(): void {
    const { placeOf, storage, pace, emptied } = this.#deps;
    for (let count = 0; this.size > 0; count++) {
      if (count === AT_ONCE || (count > 0 && !pace.admits(0))) return this.#await();
      const burial = this.#take();
      const place = placeOf(burial.sequence);
      const record = place === null ? null : storage.peek(place);
      if (place === null) this.#gone(burial);
      else if (record === null) return this.#load(burial);
      else this.#bury(burial, record);
    }
    emptied();
  }

  #take(): Burial {
    const burial = this.#waiting[this.#done++] as Burial;
    if (this.#done * 2 < this.#waiting.length) return burial;
    this.#waiting = this.#waiting.slice(this.#done);
    this.#done = 0;
    return burial;
  }

  #load(burial: Burial): void {
    const { placeOf, storage, onUnreadable } = this.#deps;
    const { sequence, owner, over } = burial;
    this.#isBusy = true;
    const goOn = (): void => {
      this.#isBusy = false;
      if (this.size === 0) this.#deps.emptied();
      else this.#await();
    };
    new Reader().load({
      place: () => placeOf(sequence),
      storage,
      done: (record) => {
        if (placeOf(sequence) === null) this.#gone(burial);
        else this.#bury(burial, record);
        goOn();
      },
      failed: (error) => {
        if (placeOf(sequence) === null) this.#gone(burial);
        else
          onUnreadable(sequence, error, () => {
            owner.stays(sequence);
            over();
          });
        goOn();
      },
    });
  }

  #bury({ sequence, reason, owner, over }: Burial, record: MessageRecord): void {
    this.#deps.bury({ sequence, record, reason });
    owner.buried(sequence);
    over();
  }

  #gone({ sequence, owner, over }: Burial): void {
    owner.gone(sequence);
    over();
  }
}

/** What one consumer has rejected, or failed at for the last time, and waits for the dead letters to take it. */
export class ConsumerBurials {
  readonly #burials: Burials;
  readonly #resume: () => void;
  #count = 0;

  /** @param resume called once it may be given messages again. */
  constructor(burials: Burials, resume: () => void) {
    this.#burials = burials;
    this.#resume = resume;
  }

  /** Whether it is to be given no more, as these would wait too. */
  get isFull(): boolean {
    return this.#count >= BURIALS_MAX;
  }

  /** As of `Burials.add`. */
  add(sequence: number, reason: string, owner: BurialOwner, over: () => void): void {
    this.#count++;
    this.#burials.add(sequence, reason, owner, () => {
      if (this.#count-- === BURIALS_MAX) this.#resume();
      over();
    });
  }
}

const nothing = (): void => {};
