import type { Records } from "../model/records.ts";
import type { QueuedRequest } from "../forward/queue.ts";
import type { TenantRecords } from "../store/write-batch.ts";

/** What comes within this time is written together: each write waits for the disk once. */
const GROUP_MS = 50;
/** Records, or characters of text, that are written without waiting for more. */
const RECORDS_MAX = 5_000;
const TEXT_MAX = 4 * 1024 * 1024;

/** What came at once: what of it is kept here, and what goes on as it came. */
export interface Came {
  readonly records: TenantRecords;
  readonly forwarded: QueuedRequest | null;
}

interface Waiting {
  readonly came: Came;
  readonly textBytes: number;
  readonly done: (error: Error | null) => void;
}

/** Writes what comes in groups; everybody is answered once theirs is on the disk. */
export class Commits {
  readonly #write: (batch: readonly Came[], textBytes: number) => void;
  #waiting: Waiting[] = [];
  #records = 0;
  #textBytes = 0;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #lastMs = -GROUP_MS;

  constructor(write: (batch: readonly Came[], textBytes: number) => void) {
    this.#write = write;
  }

  /** Resolves once the records are on the disk. @throws what the write throws. */
  add(came: Came, textBytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        came,
        textBytes,
        done: (error) => (error === null ? resolve() : reject(error)),
      });
      this.#records += countOf(came.records);
      this.#textBytes += textBytes;
      if (this.#records >= RECORDS_MAX || this.#textBytes >= TEXT_MAX) this.flush();
      else this.#soon();
    });
  }

  /** Writes all that waits. */
  flush(): void {
    const waiting = this.#waiting;
    const textBytes = this.#textBytes;
    this.#waiting = [];
    this.#records = 0;
    this.#textBytes = 0;
    if (waiting.length === 0) return;
    let failure: Error | null = null;
    try {
      this.#write(
        waiting.map(({ came }) => came),
        textBytes,
      );
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    this.#lastMs = performance.now();
    for (const { done } of waiting) done(failure);
  }

  #soon(): void {
    if (this.#timer !== null) return;
    const run = (): void => {
      this.#timer = null;
      this.flush();
    };
    const waitMs = this.#lastMs + GROUP_MS - performance.now();
    this.#timer = waitMs > 0 ? setTimeout(run, waitMs) : setImmediate(run);
  }
}

/** How many spans and events these are. */
export const countOf = ({ spans, events }: Records): number => spans.length + events.length;
