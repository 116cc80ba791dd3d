import { MESSAGE_OVERHEAD_BYTES } from "./ports.ts";

/** What an intake goes by. */
export interface IntakeDeps {
  /** What was appended to the log and is not on disk yet. */
  readonly backlogBytes: () => number;
  /** Whether the log cannot be written now. */
  readonly isTroubled: () => boolean;
  readonly whenDurable: (callback: () => void) => void;
  readonly later: (callback: () => void) => void;
}

interface Held {
  readonly bytes: number;
  readonly admit: () => void;
}

/** How many bytes are held while the disk takes nothing; beyond that, senders get their messages back. */
const HELD_BYTES_MAX = 64 * 2 ** 20;

/**
 * Lets messages into the log as fast as the disk takes them, and holds the others in memory, in order. So less is on
 * its way to a disk that gets full than the reserve of the log, and settlements of consumers can still be written.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  /** How much may be on its way to the disk. */
  readonly #bytesMax: number;
  #held: Held[] = [];
  /** How many of them are let in already. */
  #admitted = 0;
  #heldBytes = 0;
  #awaits = false;
  #waiting: (() => void)[] = [];

  constructor(bytesMax: number, deps: IntakeDeps) {
    this.#bytesMax = bytesMax;
    this.#deps = deps;
  }

  /** What waits in memory. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Whether reading from senders should pause. Trouble with the disk is no reason to, as consumers use the same
   * connections.
   */
  get isCongested(): boolean {
    const { backlogBytes, isTroubled } = this.#deps;
    return !isTroubled() && (this.#heldBytes > 0 || backlogBytes() > this.#bytesMax);
  }

  /** Whether a message of so many bytes is to be appended now; one that is larger than what may be on its way goes alone. */
  admits(bytes: number): boolean {
    return this.#heldBytes === 0 && this.#fits(bytes);
  }

  /**
   * Holds a message until it is its turn.
   * @returns false where there is no room for it.
   */
  hold(bytes: number, admit: () => void): boolean {
    if (this.#deps.isTroubled() && this.#heldBytes + bytes > HELD_BYTES_MAX) return false;
    this.#held.push({ bytes, admit });
    this.#heldBytes += bytes + MESSAGE_OVERHEAD_BYTES;
    this.#await();
    return true;
  }

  /** Calls back soon, once what waits before it was let in: for those who make messages themselves. */
  whenTaking(callback: () => void): void {
    if (this.admits(0)) this.#deps.later(callback);
    else {
      this.#held.push({ bytes: 0, admit: callback });
      this.#heldBytes += MESSAGE_OVERHEAD_BYTES;
      this.#await();
    }
  }

  /** Calls back once more may be read from senders, or the disk is in trouble. */
  whenUncongested(callback: () => void): void {
    this.#waiting.push(callback);
    this.#await();
  }

  /** The disk is in trouble, or out of it. */
  refresh(): void {
    this.#drain();
  }

  #fits(bytes: number): boolean {
    const backlog = this.#deps.backlogBytes();
    return !this.#deps.isTroubled() && (backlog === 0 || backlog + bytes + MESSAGE_OVERHEAD_BYTES <= this.#bytesMax);
  }

  #drain(): void {
    for (let next = this.#held[this.#admitted]; next !== undefined && this.#fits(next.bytes);) {
      this.#admitted++;
      this.#heldBytes -= next.bytes + MESSAGE_OVERHEAD_BYTES;
      next.admit();
      next = this.#held[this.#admitted];
    }
    if (this.#admitted > 0) this.#held = this.#held.slice(this.#admitted);
    this.#admitted = 0;
    if (!this.isCongested) for (const callback of this.#waiting.splice(0)) callback();
    this.#await();
  }

  #await(): void {
    // Out of trouble, it is told so.
    if (this.#awaits || this.#deps.isTroubled() || (this.#held.length === 0 && this.#waiting.length === 0)) return;
    this.#awaits = true;
    this.#deps.whenDurable(() => {
      this.#awaits = false;
      this.#drain();
    });
  }
}
