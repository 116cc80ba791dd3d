import { renameSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Format, Signal } from "../otlp/signals.ts";
import { faultOf } from "../store/faults.ts";
import { type FileForm, inodeOf, inTransaction, openDatabase } from "../store/open-database.ts";

/** A request of OTLP that is to be forwarded as it came. */
export interface QueuedRequest {
  readonly signal: Exclude<Signal, "metrics">;
  readonly format: Format;
  /** Unpacked. */
  readonly body: Uint8Array;
  /** How many spans and events it has. */
  readonly records: number;
}

/** Requests of one kind that go out together, the oldest of all. */
export interface QueuedBatch extends Pick<QueuedRequest, "signal" | "format" | "records"> {
  /** The number of the last one; all of the kind up to it are in the batch. */
  readonly last: number;
  readonly bodies: readonly Uint8Array[];
}

interface QueueDeps {
  /** Told how many spans and events had to go, as there was no room for them, or as the file was damaged. */
  readonly lost: (count: number) => void;
}

const APPLICATION_ID = 0x64_77_66_71; // "dwfq"
const FORM: FileForm = {
  schema: `
    CREATE TABLE requests (
      id INTEGER PRIMARY KEY AUTOINCREMENT, signal TEXT NOT NULL, format TEXT NOT NULL, records INTEGER NOT NULL,
      body BLOB NOT NULL
    );
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = 1;
  `,
  applicationId: APPLICATION_ID,
  version: 1,
};

/** What goes out at once. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
/** So many requests go out at once. */
export const BATCH_REQUESTS_MAX = 256;

/** What waits to be forwarded, in a file of its own: it outlives the process. The oldest make room for the newest. */
export class ForwardQueue {
  #path: string;
  readonly #deps: QueueDeps;
  #bytesMax: number;
  #open: { readonly database: DatabaseSync; readonly inode: number } | null = null;
  #bytes = 0;

  constructor(path: string, bytesMax: number, deps: QueueDeps) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#deps = deps;
  }

  /** What the bodies that wait take. */
  get bytes(): number {
    return this.#bytes;
  }

  setBound(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** Puts requests at the end; they are on the disk once it returns. @throws TracesFault, and nothing was put there. */
  push(requests: readonly QueuedRequest[]): void {
    this.#mending((database) => {
      let lost = 0;
      let bytes = this.#bytes;
      inTransaction(database, this.#path, () => {
        const put = database.prepare("INSERT INTO requests (signal, format, records, body) VALUES (?, ?, ?, ?)");
        const oldest = database.prepare("SELECT id, records, length(body) AS bytes FROM requests ORDER BY id LIMIT 1");
        for (const { signal, format, records, body } of requests) {
          put.run(signal, format, records, body);
          bytes += body.byteLength;
        }
        while (bytes > this.#bytesMax) {
          const row = oldest.get();
          if (row === undefined) break;
          database.prepare("DELETE FROM requests WHERE id = ?").run(Number(row["id"]));
          bytes -= Number(row["bytes"]);
          lost += Number(row["records"]);
        }
      });
      this.#bytes = bytes;
      if (lost > 0) this.#deps.lost(lost);
    });
  }

  /** The oldest requests of one kind, no more than so many; null where nothing waits. @throws TracesFault */
  take(requestsMax: number): QueuedBatch | null {
    return this.#mending((database) => {
      const sql = "SELECT id, signal, format, records, body FROM requests ORDER BY id LIMIT ?";
      const taken: { readonly id: number; readonly request: QueuedRequest }[] = [];
      let bytes = 0;
      for (const row of database.prepare(sql).iterate(requestsMax)) {
        const request = requestOf(row);
        const [first = { request }] = taken;
        bytes += request.body.byteLength;
        const isSame = first.request.signal === request.signal && first.request.format === request.format;
        if (taken.length > 0 && (!isSame || bytes > BATCH_BYTES_MAX)) break;
        taken.push({ id: Number(row["id"]), request });
      }
      const last = taken.at(-1);
      if (last === undefined) return null;
      const { signal, format } = last.request;
      const records = taken.reduce((sum, { request }) => sum + request.records, 0);
      return { signal, format, records, last: last.id, bodies: taken.map(({ request }) => request.body) };
    });
  }

  /** Forgets all up to this one: it was the last of the oldest batch. @throws TracesFault */
  done(last: number): void {
    this.#mending((database) => {
      inTransaction(database, this.#path, () => {
        database.prepare("DELETE FROM requests WHERE id <= ?").run(last);
      });
      this.#bytes = bytesIn(database);
    });
  }

  close(): void {
    try {
      this.#open?.database.close();
    } catch {
      // What it holds is on the disk, or the disk is gone.
    }
    this.#open = null;
  }

  /** Works on the file; one that is damaged is replaced by an empty one. */
  #mending<T>(work: (database: DatabaseSync) => T): T {
    try {
      return work(this.#database());
    } catch (error) {
      const fault = faultOf(error, this.#path);
      this.close();
      if (fault.kind === "newer") {
        // What waits there is for the version that put it there, which is to drain the files of older forms first.
        this.#path = besideNewer(this.#path);
        return work(this.#database());
      }
      if (fault.kind !== "damaged") throw fault;
      for (const end of ["-wal", "-shm"]) rmSync(`${this.#path}${end}`, { force: true });
      renameSync(this.#path, `${this.#path}.damaged`);
      // How much was in it, nobody can tell.
      this.#deps.lost(1);
      return work(this.#database());
    }
  }

  #database(): DatabaseSync {
    if (this.#open !== null && inodeOf(this.#path) !== this.#open.inode) this.close();
    if (this.#open === null) {
      const database = openDatabase(this.#path, FORM);
      this.#open = { database, inode: inodeOf(this.#path) };
      this.#bytes = bytesIn(database);
    }
    return this.#open.database;
  }
}

/** The file of this form beside one of a newer form: `forward-1.db`. */
const besideNewer = (path: string): string => path.replace(/(\.\w+)$/, `-${FORM.version}$1`);

const bytesIn = (database: DatabaseSync): number =>
  Number(database.prepare("SELECT coalesce(sum(length(body)), 0) AS bytes FROM requests").get()?.["bytes"] ?? 0);

const requestOf = (row: Record<string, unknown>): QueuedRequest => ({
  signal: row["signal"] === "logs" ? "logs" : "traces",
  format: row["format"] === "json" ? "json" : "protobuf",
  records: Number(row["records"]),
  body: row["body"] as Uint8Array,
});
