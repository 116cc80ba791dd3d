import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { EventRecord, SpanRecord } from "../model/records.ts";
import type { Summary } from "../model/summary.ts";
import { TracesFault, faultOf } from "./faults.ts";
import { hashesOf, KeyFilter, type KeyHashes } from "./key-filter.ts";
import { readChunk, readEvent, readResource, readSummary } from "./rows.ts";
import { inodeOf, inTransaction, openDatabase } from "./open-database.ts";
import { FORM } from "./schema.ts";

/** A trace in one file. */
export interface TraceRow {
  /** Its number in the file. */
  readonly id: number;
  readonly key: string;
  /** When its last record in this file ended, in milliseconds since 1970. */
  readonly last: number;
  /** Read when it is first asked for: of many rows, few are looked at. */
  readonly summary: Summary;
}

/** An event with its place. */
export interface EventRow {
  readonly id: number;
  readonly at: number;
  readonly trace: number | null;
  readonly event: EventRecord;
}

type Value = string | number | null;

/** Statements by their text, made when they are first used. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #made = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  of(sql: string): StatementSync {
    let statement = this.#made.get(sql);
    if (statement === undefined) this.#made.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

/**
 * One file of the store, which holds what came within an hour, or part of it. Whatever goes wrong with it is thrown as
 * TracesFault. Nothing of it may be used once it is closed.
 */
export class HourFile {
  readonly path: string;
  /** Grows from file to file. */
  readonly number: number;
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #resources = new Map<number, SpanRecord["resource"]>();
  readonly #inode: number;
  #keys: KeyFilter | null = null;

  /** Opens a file, and makes it where there is none. @throws TracesFault */
  constructor(path: string, number: number) {
    this.path = path;
    this.number = number;
    this.#database = openDatabase(path, FORM);
    this.#statements = new Statements(this.#database);
    this.#inode = inodeOf(path);
  }

  /** Whether the file is still the one that was opened: a folder may be taken away below it. */
  get isThere(): boolean {
    return inodeOf(this.path) === this.#inode;
  }

  /** What it takes of the disk. */
  get bytes(): number {
    return ["", "-wal"].reduce(
      (sum, end) => sum + (statSync(`${this.path}${end}`, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }

  /** How many spans and events it holds. */
  get records(): number {
    return Number(this.all("SELECT records FROM totals")[0]?.["records"] ?? 0);
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  /** Does what `work` does as a whole, on the disk once it returns. */
  transaction(work: (statements: Statements) => void): void {
    inTransaction(this.#database, this.path, () => work(this.#statements));
  }

  /** All rows that a statement gives. */
  all(sql: string, ...values: readonly Value[]): Record<string, unknown>[] {
    try {
      return this.#statements.of(sql).all(...values);
    } catch (error) {
      throw faultOf(error, this.path);
    }
  }

  /** A trace by its key; null where there is none. */
  trace(tenant: string, key: string): TraceRow | null {
    const [row] = this.all("SELECT id, key, last, data FROM traces WHERE tenant = ? AND key = ?", tenant, key);
    return row === undefined ? null : this.#traceRow(row);
  }

  /** Whether it may have a trace: "no" is certain. Reads all its keys when it is first asked. */
  mayHave(key: KeyHashes): boolean {
    this.#keys ??= this.#readKeys();
    return this.#keys.mayHave(key);
  }

  /** Takes note of a trace that is written. */
  noteTrace(key: string): void {
    if (this.#keys?.isFull === true) this.#keys = null;
    this.#keys?.add(hashesOf(key));
  }

  /** Traces that ended before, or at that moment and have a greater key; the newest first. */
  tracesAfter(
    tenant: string,
    { last, key }: { readonly last: number; readonly key: string },
    limit: number,
  ): TraceRow[] {
    const where = "tenant = ? AND last <= ? AND (last < ? OR key > ?)";
    const sql = `SELECT id, key, last, data FROM traces WHERE ${where} ORDER BY last DESC, key LIMIT ?`;
    return this.all(sql, tenant, last, last, key, limit).map((row) => this.#traceRow(row));
  }

  /** When the newest trace ended of those that ended before, or at that moment; null where there is none. */
  lastBefore(tenant: string, atMs: number): number | null {
    const sql = "SELECT last FROM traces WHERE tenant = ? AND last <= ? ORDER BY last DESC LIMIT 1";
    const [row] = this.all(sql, tenant, atMs);
    return row === undefined ? null : Number(row["last"]);
  }

  /** Traces by their numbers in this file, those of the tenant alone. */
  tracesOf(tenant: string, ids: readonly number[]): TraceRow[] {
    return this.all(
      "SELECT id, key, last FROM traces WHERE tenant = ? AND id IN (SELECT value FROM json_each(?))",
      tenant,
      JSON.stringify(ids),
    ).map((row) => this.#traceRow(row));
  }

  /** The traces that have a span or an event with all these words, by their numbers; null where they are more than `max`. */
  tracesWith(words: readonly string[], max: number): Set<number> | null {
    if (this.countWith(words, max) > max) return null;
    const found = new Set<number>();
    for (const [index, table] of INDEXES) {
      const hits = `SELECT rowid FROM ${index} WHERE ${index} MATCH ?`;
      const sql = `SELECT t.trace FROM (${hits}) w JOIN ${table} t ON t.id = w.rowid`;
      for (const { trace } of this.all(sql, matchOf(words))) if (trace !== null) found.add(Number(trace));
    }
    return found;
  }

  /** How many chunks and events have all these words, or `max` + 1 where they are more: that reads the index alone. */
  countWith(words: readonly string[], max: number): number {
    let sum = 0;
    for (const [index] of INDEXES) {
      const hits = `SELECT rowid FROM ${index} WHERE ${index} MATCH ? LIMIT ?`;
      const [{ count = 0 } = {}] = this.all(`SELECT count(*) AS count FROM (${hits})`, matchOf(words), max + 1);
      sum += Number(count);
    }
    return Math.min(sum, max + 1);
  }

  /** The events that have all these words, by their numbers; null where they are more than `max`. */
  eventsWith(words: readonly string[], max: number): number[] | null {
    const sql = "SELECT rowid FROM event_words WHERE event_words MATCH ? LIMIT ?";
    const rows = this.all(sql, matchOf(words), max + 1);
    return rows.length > max ? null : rows.map(({ rowid }) => Number(rowid));
  }

  /** The spans of a trace, chunk by chunk. */
  *spansOf(trace: number): Generator<readonly SpanRecord[]> {
    for (const { data } of this.all("SELECT data FROM chunks WHERE trace = ? ORDER BY id", trace))
      yield readChunk(String(data), (id) => this.#resource(id));
  }

  /** The events of a trace. */
  eventsOf(trace: number, limit: number): EventRow[] {
    const sql = "SELECT id, at, trace, resource, data FROM events WHERE trace = ? ORDER BY at, id LIMIT ?";
    return this.all(sql, trace, limit).map((row) => this.#eventRow(row));
  }

  /** Events of one level that happened before, or at that moment and have a greater number; the newest first. */
  eventsAfter(
    tenant: string,
    { level, at, id }: { readonly level: number; readonly at: number; readonly id: number },
    limit: number,
  ): EventRow[] {
    const where = "tenant = ? AND level = ? AND at <= ? AND (at < ? OR id > ?)";
    const sql = `SELECT id, at, trace, resource, data FROM events WHERE ${where} ORDER BY at DESC, id LIMIT ?`;
    return this.all(sql, tenant, level, at, at, id, limit).map((row) => this.#eventRow(row));
  }

  /** Events by their numbers, those of the tenant alone. */
  eventsById(tenant: string, ids: readonly number[]): EventRow[] {
    const where = "tenant = ? AND id IN (SELECT value FROM json_each(?))";
    return this.all(
      `SELECT id, at, trace, resource, data FROM events WHERE ${where} ORDER BY at DESC, id`,
      tenant,
      JSON.stringify(ids),
    ).map((row) => this.#eventRow(row));
  }

  /** What came after the event with this number, in the order in which it came. */
  eventsSince(tenant: string, id: number, limit: number): EventRow[] {
    const sql = "SELECT id, at, trace, resource, data FROM events WHERE id > ? AND tenant = ? ORDER BY id LIMIT ?";
    return this.all(sql, id, tenant, limit).map((row) => this.#eventRow(row));
  }

  /** The number of the event that came last; 0 where there is none. */
  get lastEvent(): number {
    return Number(this.all("SELECT max(id) AS id FROM events")[0]?.["id"] ?? 0);
  }

  /** Puts what is in its log into the file, for one that is written no more. */
  settle(): void {
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // There is no room for it: the log holds it as well.
    }
  }

  close(): void {
    if (!this.#database.isOpen) return;
    try {
      this.#database.close();
    } catch {
      // What it holds is on the disk, or the disk is gone.
    }
  }

  #traceRow({ id, key, last, data }: Record<string, unknown>): TraceRow {
    const number = Number(id);
    let summary: Summary | undefined;
    const read = (): string => {
      if (typeof data === "string") return data;
      const [row] = this.all("SELECT data FROM traces WHERE id = ?", number);
      if (row === undefined) throw new TracesFault("damaged", `Cannot use ${this.path}: it lacks trace ${number}`);
      return String(row["data"]);
    };
    return {
      id: number,
      key: String(key),
      last: Number(last),
      get summary() {
        return (summary ??= readSummary(read()));
      },
    };
  }

  #readKeys(): KeyFilter {
    const [{ count = 0 } = {}] = this.all("SELECT count(*) AS count FROM traces");
    const keys = new KeyFilter(Number(count) * 1.5);
    try {
      for (const { key } of this.#statements.of("SELECT key FROM traces").iterate()) keys.add(hashesOf(String(key)));
    } catch (error) {
      throw faultOf(error, this.path);
    }
    return keys;
  }

  #eventRow({ id, at, trace, resource, data }: Record<string, unknown>): EventRow {
    const event = readEvent(String(data), this.#resource(Number(resource)));
    return { id: Number(id), at: Number(at), trace: trace === null ? null : Number(trace), event };
  }

  #resource(id: number): SpanRecord["resource"] {
    const known = this.#resources.get(id);
    if (known !== undefined) return known;
    const [row] = this.all("SELECT data FROM resources WHERE id = ?", id);
    if (row === undefined) throw new TracesFault("damaged", `Cannot use ${this.path}: it lacks resource ${id}`);
    const read = readResource(String(row["data"]));
    if (this.#resources.size >= RESOURCES_KEPT) this.#resources.clear();
    this.#resources.set(id, read);
    return read;
  }
}

/** Where words are found, and the table that has the traces of what has them. */
const INDEXES = [
  ["chunk_words", "chunks"],
  ["event_words", "events"],
] as const;

const RESOURCES_KEPT = 1_000;
/** All words, which hold letters and digits alone. */
const matchOf = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(" ");
