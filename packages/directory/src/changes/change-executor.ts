import { randomBytes } from "node:crypto";
import { type Chance, type Clock, type Logger, type ProblemBoard, systemChance } from "@datawire/runtime";
import { effective, emptyChange, isIdle, type Plan } from "../model/change-set.ts";
import { type Moment, momentOf } from "../model/moment.ts";
import { readRecord } from "../model/read-records.ts";
import { recordKey, recordsOf, SESSION_KEY_ID, type DurableRecord, type HistoryEntry } from "../model/records.ts";
import type { State } from "../registry/state.ts";
import { LeftOut } from "../problems/left-out.ts";
import { StoreError, type RecordWrite, type Store, type VersionedRecord } from "../store/contract.ts";

/** Who gave a command, as far as anyone can tell. */
export interface Author {
  readonly who: string;
  /** Whether a token proved it. */
  readonly verified: boolean;
}

/** What became of a command. */
export interface Done<P extends Plan> {
  readonly plan: P;
  /** False when everything was as commanded already, and for a dry run. */
  readonly changed: boolean;
}

interface ChangeExecutorDeps {
  readonly state: State;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the system's. */
  readonly chance?: Pick<Chance, "number">;
  readonly board: Pick<ProblemBoard, "set">;
  /** Told what could not be done, and how that failed. */
  readonly failed: (what: string, error: unknown) => void;
  /** Called when the state has changed. */
  readonly changed: () => void;
  /** Begins to measure how long the store takes to make something durable; the function returned ends that. */
  readonly storing: () => () => void;
  /** Told of every change that enters the history. */
  readonly recorded: () => void;
  /** Told of every instance that was drained or resumed at another directory. */
  readonly drained: (key: string) => void;
}

/** How often a change is planned while other directories are faster each time. */
const PLANS_MAX = 20;
/** After a few plans in vain each waits a moment of its own length, so that one of several directories gets through. */
const PLANS_AT_ONCE = 3;
const PLAN_PAUSE_MS = 10;

const HISTORY_KEY = /^history\/(0|[1-9]\d{0,14})$/;

/** The author of what the directory does by itself. */
export const DIRECTORY: Author = { who: "directory", verified: true };

/**
 * Makes changes, one after the other: a command is planned on the state as it is, written to the store, and only then
 * part of the state, so that what anyone has seen is durable.
 */
export class ChangeExecutor {
  readonly #deps: ChangeExecutorDeps;
  readonly #versions = new Map<string, number>();
  readonly #leftOut: LeftOut;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(deps: ChangeExecutorDeps) {
    this.#deps = deps;
    this.#leftOut = new LeftOut("store", deps);
  }

  /** Takes what the store holds. Must be the first call. */
  async load(): Promise<void> {
    const { store, state } = this.#deps;
    const { records, registrations, unreadable } = await store.load();
    const moment = momentOf(this.#deps.clock);
    for (const record of records) this.#take(record, moment);
    for (const { key, reason } of unreadable) this.#leftOut.add(key, reason);
    state.registry.restore(registrations, { moment, presumed: store.shared?.alone ?? true });
    store.follow((followed) => this.#follow(followed));
  }

  /**
   * Carries out a command and records it in the history.
   * @param plan called with the state as it will be when the change is made; what it throws is the answer.
   */
  change<P extends Plan>(
    plan: (moment: Moment) => P,
    { author, undoable }: { readonly author: Author; readonly undoable: boolean },
  ): Promise<Done<P>> {
    return this.#planned(async () => {
      const moment = momentOf(this.#deps.clock);
      const made = plan(moment);
      const change = effective(made.change);
      if (isIdle(change) && made.undoes === undefined) return { plan: made, changed: false };
      const { history } = this.#deps.state;
      const entry: HistoryEntry = {
        id: history.nextId,
        atMs: moment.wallMs,
        ...author,
        action: made.action,
        undone: false,
        undoable: undoable && made.undoes === undefined,
        change,
      };
      await this.#commit(
        [
          ...recordsOf(change),
          historyRecord(entry.id, entry),
          ...(made.undoes === undefined ? [] : [historyRecord(made.undoes.id, { ...made.undoes, undone: true })]),
          ...history.excess().map((id) => historyRecord(id, null)),
        ],
        moment,
      );
      this.#deps.recorded();
      this.#deps.log.info("Changed", { action: made.action, ...author });
      return { plan: made, changed: true };
    });
  }

  /**
   * Records in the history what was done beyond the table, such as that a token was made. It holds already: where this
   * cannot be written, the log alone has it.
   */
  async note(action: string, author: Author): Promise<void> {
    const { state, log, recorded } = this.#deps;
    log.info("Changed", { action, ...author });
    const write = this.#planned(async () => {
      const moment = momentOf(this.#deps.clock);
      const { history } = state;
      const entry: HistoryEntry = {
        id: history.nextId,
        atMs: moment.wallMs,
        ...author,
        action,
        undone: false,
        undoable: false,
        change: emptyChange(),
      };
      await this.#commit(
        [historyRecord(entry.id, entry), ...history.excess().map((id) => historyRecord(id, null))],
        moment,
      );
      recorded();
    });
    await write.catch((error: unknown) => {
      log.error("Change not recorded in the history", { action, error });
      this.#deps.failed(`history of "${action}"`, error);
    });
  }

  /**
   * Makes the records be those of a backup, and no others. What is registered stays: that is the Watsons' word. A store
   * that takes only so many writes at once gets them in parts; restored again, only what is missing is written.
   * @returns how many records are not what they were.
   */
  restore(backup: readonly Write[], author: Author): Promise<number> {
    return this.#serially(async () => {
      const moment = momentOf(this.#deps.clock);
      const { records: current } = await this.#deps.store.load();
      const before = new Map(current.map(({ key, value }) => [key, JSON.stringify(value)]));
      const wanted = new Map(backup.map(({ key, value }) => [key, JSON.stringify(value)]));
      const changes = backup.filter(({ key }) => before.get(key) !== wanted.get(key));
      // Sessions go on over a backup that was made before there was a key.
      const removed = current
        .filter(({ key }) => !wanted.has(key) && key !== SESSION_KEY)
        .map(({ key }) => ({ key, value: null }));
      const writes = [...changes, ...removed];
      const changed = writes.length;
      const { history } = this.#deps.state;
      const kept = backup.flatMap(({ key }) => HISTORY_KEY.exec(key)?.[1] ?? []).map(Number);
      const entry: HistoryEntry = {
        id: Math.max(history.nextId, ...kept.map((id) => id + 1)),
        atMs: moment.wallMs,
        ...author,
        action: `restore of a backup: ${changed} of ${Math.max(before.size, wanted.size)} records changed`,
        undone: false,
        undoable: false,
        change: emptyChange(),
      };
      // Records may be large: parts are well below what the store takes.
      const part = Math.floor(this.#deps.store.writesMax / 4);
      while (writes.length > part) await this.#write(writes.splice(0, part), moment);
      await this.#write([...writes, writeOf(historyRecord(entry.id, entry))], moment);
      this.#deps.recorded();
      this.#deps.log.warn("Backup restored", { records: changed, ...author });
      return changed;
    });
  }

  /**
   * Writes what is no command and has no place in the history, such as that a caller was seen. What another directory
   * has written of the same since stays.
   */
  remember(records: readonly DurableRecord[]): Promise<void> {
    return this.#serially(async () => {
      try {
        await this.#commit(records, momentOf(this.#deps.clock));
      } catch (error) {
        if (!isConflict(error)) throw error;
        this.#deps.log.debug("Another directory was faster", { records: records.map(recordKey) });
      }
    });
  }

  /** Makes the key of the cookies of sessions where there is none; that of a directory which was faster holds. */
  async makeSessionKey(): Promise<void> {
    if (this.#deps.state.sessionKey !== null) return;
    const key = randomBytes(32).toString("base64url");
    try {
      await this.remember([{ kind: "key", id: SESSION_KEY_ID, value: { key } }]);
    } catch (error) {
      this.#deps.log.warn("No key for the cookies of sessions can be made, the next start tries again", { error });
      this.#deps.failed("key for the cookies of sessions", error);
    }
  }

  /** Resolves when all that was asked for so far is done. */
  async settled(): Promise<void> {
    await this.#queue;
  }

  #commit(records: readonly DurableRecord[], moment: Moment): Promise<void> {
    return this.#write(records.map(writeOf), moment);
  }

  /** Writes, and makes part of the state, what is wanted of some keys. */
  async #write(wanted: readonly Write[], moment: Moment): Promise<void> {
    const { store, storing, changed } = this.#deps;
    const writes = wanted.map(({ key, value }): RecordWrite => {
      // What could not be read again must not be written: the next start would leave it out.
      if (value !== null) readRecord(key, value);
      return { key, value, expected: this.#versions.get(key) ?? 0 };
    });
    const stored = storing();
    const version = await store.commit(writes);
    stored();
    for (const { key, value } of writes) this.#take({ key, value, version }, moment);
    changed();
  }

  /** Takes what another directory on the same store has written. */
  #follow(followed: readonly VersionedRecord[]): void {
    const { changed, drained } = this.#deps;
    const moment = momentOf(this.#deps.clock);
    for (const one of followed) {
      const record = this.#take(one, moment);
      if (record?.kind === "drain") drained(record.id);
    }
    changed();
  }

  /** Takes a record as the store has it. One that cannot be read is left out: what is known of it from before stays. */
  #take({ key, value, version }: VersionedRecord, moment: Moment): DurableRecord | null {
    // One that is left out is there all the same: whoever replaces it has to know its version.
    if (value === null) this.#versions.delete(key);
    else this.#versions.set(key, version);
    this.#leftOut.settle(key);
    try {
      const record = readRecord(key, value);
      this.#deps.state.set(record, moment);
      return record;
    } catch (error) {
      if (value !== null) this.#leftOut.add(key, error);
      this.#keepIdFree(key, moment);
      return null;
    }
  }

  /** No entry of the history gets the number of one that cannot be read. */
  #keepIdFree(key: string, moment: Moment): void {
    const id = HISTORY_KEY.exec(key)?.[1];
    if (id !== undefined) this.#deps.state.set({ kind: "history", id, value: null }, moment);
  }

  /** Serially, and planned again when another directory was faster, on what that one has made of the state. */
  #planned<T>(work: () => Promise<T>): Promise<T> {
    return this.#serially(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await work();
        } catch (error) {
          if (!isConflict(error) || attempt === PLANS_MAX) throw error;
          const { clock, chance = systemChance } = this.#deps;
          if (attempt >= PLANS_AT_ONCE) await clock.sleep(chance.number() * PLAN_PAUSE_MS * attempt);
        }
      }
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // whoever asked is told; the next one is not concerned
    return result;
  }
}

const SESSION_KEY = recordKey({ kind: "key", id: SESSION_KEY_ID });

function isConflict(error: unknown): boolean {
  return error instanceof StoreError && error.code === "conflict";
}

const historyRecord = (id: number, value: HistoryEntry | null): DurableRecord => ({
  kind: "history",
  id: String(id),
  value,
});

/** What is wanted of a key; null removes it. */
type Write = Pick<RecordWrite, "key" | "value">;

const writeOf = (record: DurableRecord): Write => ({ key: recordKey(record), value: record.value });
