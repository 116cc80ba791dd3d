import { type Chance, type Clock, type Logger, type ProblemBoard, systemChance } from "@datawire/runtime";
import { type Moment, momentOf } from "../model/moment.ts";
import { LeftOut } from "../problems/left-out.ts";
import { type RecordContent, type RecordStore, StoreError, type VersionedRecord } from "./contract.ts";
import { inParts, type PlainRecord } from "./replacement.ts";
import { type UnknownFields, unknownFields, withUnknownFields } from "./unknown-fields.ts";

/** What every record has: null says that it is gone. */
interface Valued {
  readonly value: unknown;
}

/** What the records of a journal make. */
export interface Recorded<R extends Valued> {
  /** Reads a record, or its end where the value is null, for its meaning. Throws what is wrong with it. */
  read(key: string, value: unknown): R;
  /** The key under which the store has it. */
  keyOf(record: R): string;
  /** Makes it part of what is known. */
  apply(record: R, moment: Moment): void;
  /** There is a record that cannot be read; what is known of it from before stays in force. */
  leftOut(key: string, moment: Moment): void;
  /** Told after records were applied, written here or by another directory on the same store; not of the first ones. */
  applied(records: readonly R[]): void;
}

/** What a journal works with. */
export interface JournalDeps {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  /** Default: the system's. */
  readonly chance?: Pick<Chance, "number">;
  /** Begins to measure how long the store takes to make something durable; the function returned ends that. */
  readonly storing?: () => () => void;
}

/** What is to be written, and what that comes to. */
export interface Planned<R, T> {
  /** None changes nothing. */
  readonly records: readonly R[];
  readonly result: T;
}

/** How often a change is planned again while other directories are faster each time. */
const PLANS_MAX = 20;
/** After so many plans in vain, each directory waits for a random moment, so that one of them gets through. */
const PLANS_AT_ONCE = 3;
const PLAN_PAUSE_MS = 10;

/**
 * The one way to write records, with optimistic concurrency: one write after the other, each planned on the records as
 * they are known, committed on the condition that nobody was faster, and only then applied in memory. So everything
 * that anyone has seen is durable, and what was refused was not written. What other directories on the same store write
 * is applied in the same way. What a newer version has written into a record stays in it.
 */
export class RecordJournal<R extends Valued> {
  readonly #recorded: Recorded<R>;
  readonly #deps: JournalDeps;
  readonly #versions = new Map<string, number>();
  /** Of the records that have any, by their keys. */
  readonly #unknown = new Map<string, UnknownFields>();
  readonly #leftOut: LeftOut;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param name names it to the board. */
  constructor(name: string, recorded: Recorded<R>, deps: JournalDeps) {
    this.#recorded = recorded;
    this.#deps = deps;
    this.#leftOut = new LeftOut(name, deps);
  }

  /** Takes what the store holds, and from now on what others write. Must be the first call. */
  begin({ records, unreadable }: RecordContent): void {
    const moment = momentOf(this.#deps.clock);
    for (const record of records) this.#take(record, moment);
    for (const { key, reason } of unreadable) this.#leftOut.add(key, reason);
    this.#deps.store.follow((followed) => this.#follow(followed));
  }

  /** Whether there is a record of that key, be it one that cannot be read. */
  has(key: string): boolean {
    return this.#versions.has(key);
  }

  /**
   * Makes a change. Where another directory was faster, the change is planned again on what that one has written.
   * @param plan what it throws is the answer, and nothing was written then. Nothing is awaited between the plan and the
   * look at the versions that its writes rest on: news that came in between would be overwritten.
   * @throws StoreError `unavailable` or `uncertain`; `conflict` where others were faster each time.
   */
  change<T>(plan: (moment: Moment) => Planned<R, T>): Promise<T> {
    return this.#serially(async () => {
      const { clock, chance = systemChance } = this.#deps;
      for (let attempt = 1; ; attempt++) {
        const moment = momentOf(clock);
        const { records, result } = plan(moment);
        try {
          if (records.length > 0) await this.#write(this.#plain(records), moment);
          return result;
        } catch (error) {
          if (!isConflict(error) || attempt === PLANS_MAX) throw error;
          if (attempt >= PLANS_AT_ONCE) await clock.sleep(chance.number() * PLAN_PAUSE_MS * attempt);
        }
      }
    });
  }

  /** Writes records unless another directory has written them since. Returns whether they were written. */
  offer(records: readonly R[]): Promise<boolean> {
    return this.#serially(async () => {
      try {
        await this.#write(this.#plain(records), momentOf(this.#deps.clock));
        return true;
      } catch (error) {
        if (!isConflict(error)) throw error;
        return false;
      }
    });
  }

  /**
   * Makes a change of any size, planned on all that the store holds. A store that takes only so many writes at once gets
   * them in parts; planned again, only what is missing is written.
   */
  replace<T>(plan: (current: readonly VersionedRecord[], moment: Moment) => Planned<PlainRecord, T>): Promise<T> {
    return this.#serially(async () => {
      const { store, clock } = this.#deps;
      const moment = momentOf(clock);
      const { records: current } = await store.load();
      const { records, result } = plan(current, moment);
      for (const part of inParts(records, store)) await this.#write(part, moment);
      return result;
    });
  }

  /** Resolves when all that was asked for so far is done. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  #plain(records: readonly R[]): PlainRecord[] {
    return records.map((record) => {
      const key = this.#recorded.keyOf(record);
      return { key, value: withUnknownFields(record.value, this.#unknown.get(key) ?? null) };
    });
  }

  async #write(wanted: readonly PlainRecord[], moment: Moment): Promise<void> {
    const { store, storing } = this.#deps;
    const writes = wanted.map(({ key, value }) => ({
      // What could not be read again must not be written: the next start would leave it out.
      read: value === null ? undefined : this.#recorded.read(key, value),
      known: { key, value, version: this.#versions.get(key) ?? 0 },
    }));
    const stored = storing?.();
    const version = await store.commit(writes.map(({ known }) => known));
    stored?.();
    this.#recorded.applied(writes.flatMap(({ known, read }) => this.#take({ ...known, version }, moment, read)));
  }

  #follow(followed: readonly VersionedRecord[]): void {
    const moment = momentOf(this.#deps.clock);
    this.#recorded.applied(followed.flatMap((one) => this.#take(one, moment)));
  }

  /** Takes a record as the store has it, which may have been read already. */
  #take({ key, value, version }: VersionedRecord, moment: Moment, read?: R): R[] {
    // A record that is left out exists all the same: to replace it, its version has to be known.
    if (value === null) this.#versions.delete(key);
    else this.#versions.set(key, version);
    this.#leftOut.settle(key);
    try {
      const record = read ?? this.#recorded.read(key, value);
      const unknown = unknownFields(value, record.value);
      if (unknown === null) this.#unknown.delete(key);
      else this.#unknown.set(key, unknown);
      this.#recorded.apply(record, moment);
      return [record];
    } catch (error) {
      if (value !== null) this.#leftOut.add(key, error);
      this.#recorded.leftOut(key, moment);
      return [];
    }
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // whoever asked is told; the next one is not concerned
    return result;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof StoreError && error.code === "conflict";
}
