import type { MessageRecord } from "../log/record.ts";
import type { Place, Storage } from "./storage.ts";

interface Load {
  /** Where the message is now; null once it is gone. */
  place(): Place | null;
  readonly storage: Pick<Storage, "load" | "peek">;
  done(record: MessageRecord): void;
  failed(error: unknown): void;
  /** It cannot be read now, and is tried again by `retry`; what comes after it waits, as it has its place. */
  again?(error: unknown, retry: () => void): void;
  /** It is gone while it was waited for. */
  gone?(): void;
}

/** How often a message is tried before those behind it go first. */
const TRIES = 10;

/** Reads messages from disk for one consumer, one after the other, so that what is read ahead serves the next. */
export class Reader {
  #busy = false;

  get isBusy(): boolean {
    return this.#busy;
  }

  load({ place, storage, done, failed, again, gone }: Load): void {
    this.#busy = true;
    let tries = 0;
    const attempt = async (from: Place): Promise<void> => {
      let record: MessageRecord;
      try {
        record = await storage.load(from);
      } catch (error) {
        const now = place();
        // It has moved while it was looked for.
        if (now !== null && (now.segment !== from.segment || now.offset !== from.offset)) return attempt(now);
        if (again !== undefined && ++tries < TRIES) return again(error, retry);
        this.#busy = false;
        return failed(error);
      }
      this.#busy = false;
      done(record);
    };
    const retry = (): void => {
      const from = place();
      if (from !== null) return void attempt(from);
      this.#busy = false;
      gone?.();
    };
    retry();
  }
}
