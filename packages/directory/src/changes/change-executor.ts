import { randomBytes } from "node:crypto";
import type { Logger } from "@datawire/runtime";
import { effective, emptyChangeSet, isIdle, type Plan } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import { readRecord } from "../model/read-records.ts";
import {
  type Change,
  recordKey,
  recordsOf,
  SESSION_KEY_ID,
  type DurableRecord,
  type HistoryEntry,
} from "../model/records.ts";
import type { State } from "../registry/state.ts";
import { NotThereError, type RecordContent } from "../store/contract.ts";
import { type JournalDeps, type Recorded, RecordJournal } from "../store/record-journal.ts";
import { type PlainRecord, replacing } from "../store/replacement.ts";
import type { Author } from "./author.ts";
import { NONE_TOUCHED, touchedRollouts } from "./touched-rollouts.ts";

/** The end of a command that was carried out. */
export interface Done<P extends Plan> {
  readonly plan: P;
  /** False when everything was as commanded already, and for a dry run. */
  readonly changed: boolean;
}

/** Told of changes. */
export interface ChangeObserver {
  /** The state has changed, here or at another directory on the same store. */
  changed(): void;
  /** An instance was drained or resumed, here or there. */
  drained(key: string): void;
  /** A change has entered the history. */
  recorded(): void;
  /** Work that no client waits for has failed, such as a note in the history. */
  failed(what: string, error: unknown): void;
}

interface ChangeExecutorDeps extends JournalDeps {
  readonly state: State;
  readonly observer: ChangeObserver;
}

const HISTORY_KEY = /^history\/(0|[1-9]\d{0,14})$/;

/**
 * Makes changes, one after the other: a command is planned on the present state, written to the store, and only then
 * applied to the state, so that whatever anyone has seen is durable.
 */
export class ChangeExecutor {
  readonly #state: State;
  readonly #log: Logger;
  readonly #observer: ChangeObserver;
  readonly #journal: RecordJournal<DurableRecord>;
  readonly #isAbsent: boolean;

  constructor({ state, observer, ...deps }: ChangeExecutorDeps) {
    this.#state = state;
    this.#log = deps.log;
    this.#isAbsent = deps.store.isAbsent ?? false;
    this.#observer = observer;
    const recorded: Recorded<DurableRecord> = {
      read: readRecord,
      keyOf: recordKey,
      apply: (record: DurableRecord, moment: Moment) => state.set(record, moment),
      leftOut(key: string, moment: Moment): void {
        // No entry of the history gets the number of one that cannot be read.
        const id = HISTORY_KEY.exec(key)?.[1];
        if (id !== undefined) state.set({ kind: "history", id, value: null }, moment);
      },
      applied(records: readonly DurableRecord[]): void {
        for (const { kind, id } of records) if (kind === "drain") observer.drained(id);
        observer.changed();
      },
    };
    this.#journal = new RecordJournal("store", recorded, deps);
  }

  /** Takes what the store holds. Must be the first call. */
  begin(content: RecordContent): void {
    this.#journal.begin(content);
  }

  /** Throws NotThereError where the table is not there, so that nothing of it is kept. */
  requireThere(): void {
    if (this.#isAbsent) throw new NotThereError();
  }

  /**
   * Carries out a command and records it in the history.
   * @param plan called with the state as it will be when the change is made; what it throws is the answer.
   * @throws NotThereError for what a table that is not there would have to keep.
   */
  async change<P extends Plan>(
    plan: (moment: Moment) => P,
    { author, undoable }: { readonly author: Author; readonly undoable: boolean },
  ): Promise<Done<P>> {
    const done = await this.#journal.change((moment) => {
      const made = plan(moment);
      const { undoes, rollout = [], quiet = false } = made;
      const change = effective(made.change);
      if (isIdle(change) && undoes === undefined && rollout.length === 0)
        return { records: [], result: { plan: made, changed: false, action: "" } };
      this.requireThere();
      // A rollout that did not know of the change would judge, or take back, what is not its own.
      const touched = made.rollout === undefined ? touchedRollouts(this.#state.rollouts, change, author) : NONE_TOUCHED;
      const action = `${made.action}${touched.words}`;
      const entry = this.#entry(action, { author, change, undoable: undoable && undoes === undefined, moment });
      const undone = undoes === undefined ? [] : [historyRecord(undoes.id, { ...undoes, undone: true })];
      const audited = quiet ? [] : this.#audited(entry);
      const records = [...recordsOf(change), ...rollout, ...touched.records, ...undone, ...audited];
      return { records, result: { plan: withNotes(made, touched.notes), changed: true, action } };
    });
    const { action, ...result } = done;
    if (done.changed && done.plan.quiet !== true) this.#tell(action, author);
    return result;
  }

  /**
   * Records in the history what was done outside the table, such as that a token was made. That is in effect already:
   * where the entry cannot be written, only the log has it.
   */
  async note(action: string, author: Author): Promise<void> {
    this.#log.info("Changed", { action, ...author });
    // It is the history of a table, and there is none.
    if (this.#isAbsent) return;
    try {
      await this.#journal.change((moment) => {
        const entry = this.#entry(action, { author, change: emptyChangeSet(), undoable: false, moment });
        return { records: this.#audited(entry), result: null };
      });
      this.#observer.recorded();
    } catch (error) {
      this.#log.error("Change not recorded in the history", { action, error });
      this.#observer.failed(`history of "${action}"`, error);
    }
  }

  /**
   * Replaces all records by those of a backup. Registrations stay, as these are for Watsons to say.
   * @returns how many records are not what they were.
   */
  async restore(backup: readonly PlainRecord[], author: Author): Promise<number> {
    const changed = await this.#journal.replace((current, moment) => {
      // Sessions go on over a backup that was made before there was a key.
      const changes = replacing(current, backup, (key) => key === SESSION_KEY);
      const action = `restore of a backup: ${changes.length} of ${Math.max(current.length, backup.length)} records changed`;
      const kept = backup.flatMap(({ key }) => HISTORY_KEY.exec(key)?.[1] ?? []).map(Number);
      const entry = this.#entry(action, { author, change: emptyChangeSet(), undoable: false, moment });
      const id = Math.max(entry.id, ...kept.map((taken) => taken + 1));
      const record = historyRecord(id, { ...entry, id });
      return { records: [...changes, { key: recordKey(record), value: record.value }], result: changes.length };
    });
    this.#observer.recorded();
    this.#log.warn("Backup restored", { records: changed, ...author });
    return changed;
  }

  /**
   * Writes records that no command is behind and the history does not list, such as that a caller was seen. Records
   * that another directory has written since are left as they are.
   */
  async remember(records: readonly DurableRecord[]): Promise<void> {
    const written = await this.#journal.offer(records);
    if (!written) this.#log.debug("Another directory was faster", { records: records.map(recordKey) });
  }

  /** Makes the key of the cookies of sessions where there is none; that of a directory which was faster holds. */
  async makeSessionKey(): Promise<void> {
    if (this.#state.sessionKey !== null) return;
    const key = randomBytes(32).toString("base64url");
    try {
      await this.remember([{ kind: "key", id: SESSION_KEY_ID, value: { key } }]);
    } catch (error) {
      this.#log.warn("No key for the cookies of sessions can be made, the next start tries again", { error });
      this.#observer.failed("key for the cookies of sessions", error);
    }
  }

  /** Resolves when all that was asked for so far is done. */
  settled(): Promise<void> {
    return this.#journal.settled();
  }

  #tell(action: string, author: Author): void {
    this.#observer.recorded();
    this.#log.info("Changed", { action, ...author });
  }

  #entry(
    action: string,
    {
      author,
      change,
      undoable,
      moment,
    }: { readonly author: Author; readonly change: Change; readonly undoable: boolean; readonly moment: Moment },
  ): HistoryEntry {
    const { nextId: id } = this.#state.history;
    return { id, atMs: moment.wallMs, ...author, action, undone: false, undoable, change };
  }

  /** An entry, and the end of those that leave the history for it. */
  #audited(entry: HistoryEntry): DurableRecord[] {
    const excess = this.#state.history.excess().map((id) => historyRecord(id, null));
    return [historyRecord(entry.id, entry), ...excess];
  }
}

const SESSION_KEY = recordKey({ kind: "key", id: SESSION_KEY_ID });

/** What whoever made a change should know of what else came of it. */
function withNotes<P extends Plan>(plan: P, notes: readonly string[]): P {
  return notes.length === 0 ? plan : { ...plan, notes: [...plan.notes, ...notes] };
}

const historyRecord = (id: number, value: HistoryEntry | null): DurableRecord => ({
  kind: "history",
  id: String(id),
  value,
});
