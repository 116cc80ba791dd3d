import { setImmediate } from "node:timers/promises";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { instanceKey } from "@datawire/protocol";
import {
  type Clock,
  describeError,
  explainSystemError,
  makePrivateFolder,
  systemClock,
  ExitError,
} from "@datawire/runtime";
import { readStoredRegistration } from "../../model/read-records.ts";
import type { StoredRegistration } from "../../model/records.ts";
import type { RegistrationChanges } from "../../registry/dirty-set.ts";
import {
  type Outage,
  StoreError,
  type Store,
  type StoreContent,
  type UnreadableEntry,
  type VersionedRecord,
} from "../contract.ts";
import { asStoreError, damaged, diskError, openDatabase } from "./database.ts";
import { checksum } from "./checksum.ts";
import { parseJson } from "../parse-json.ts";
import type { SnapshotReplication } from "../replication.ts";

/** The name of the file of the embedded store, within the data folder. */
export const STORE_FILE = "directory.db";

/**
 * How many registrations are written at a time, with a turn of the event loop in between, so that nothing else has to
 * wait.
 */
const REGISTRATIONS_A_TRANSACTION = 1_000;

/**
 * Opens the store that lies in one folder and belongs to one directory: SQLite with a write-ahead log that is synced
 * at every commit.
 * @param owner how this directory is known, for the message that refuses another one.
 * @throws StoreError `in_use`, `damaged` or `unavailable`; a store that is refused is left as it is.
 */
export async function openEmbeddedStore(
  folder: string,
  owner: string,
  clock: Pick<Clock, "nowMs"> = systemClock,
): Promise<EmbeddedStore> {
  try {
    await makePrivateFolder(folder);
  } catch (cause) {
    if (cause instanceof ExitError) throw cause;
    throw new StoreError("unavailable", describeError(cause));
  }
  const path = join(folder, STORE_FILE);
  return new EmbeddedStore(await openDatabase(path, owner), path, clock);
}

interface Row {
  readonly key: string;
  readonly value: string;
  readonly version: number;
  readonly sum: number;
}

/** A store of one directory alone. */
export class EmbeddedStore implements Store {
  readonly kind = "embedded";
  readonly writesMax = Number.POSITIVE_INFINITY;
  readonly replication: SnapshotReplication = {
    kind: "snapshot",
    save: (changes) => this.#saveRegistrations(changes),
  };
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #inode: number;
  readonly #versionOf: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #putRegistration: StatementSync;
  readonly #removeRegistration: StatementSync;
  readonly #setVersion: StatementSync;
  readonly #clock: Pick<Clock, "nowMs">;
  #version: number;
  #outage: Outage | null = null;

  constructor(database: DatabaseSync, path: string, clock: Pick<Clock, "nowMs">) {
    this.#database = database;
    this.#clock = clock;
    this.#path = path;
    this.#inode = statSync(path).ino;
    this.#versionOf = database.prepare("SELECT version FROM records WHERE key = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO records (key, value, version, sum) VALUES (?, ?, ?, ?)");
    this.#remove = database.prepare("DELETE FROM records WHERE key = ?");
    this.#putRegistration = database.prepare("INSERT OR REPLACE INTO registrations (key, value, sum) VALUES (?, ?, ?)");
    this.#removeRegistration = database.prepare("DELETE FROM registrations WHERE key = ?");
    this.#setVersion = database.prepare("INSERT OR REPLACE INTO counters (name, value) VALUES ('version', ?)");
    const row = database.prepare("SELECT value FROM counters WHERE name = 'version'").get();
    this.#version = Number(row?.["value"] ?? 0);
  }

  get outage(): Outage | null {
    return this.#outage;
  }

  async load(): Promise<StoreContent> {
    const records: VersionedRecord[] = [];
    for (const row of this.#rows("SELECT key, value, version, sum FROM records ORDER BY version, key"))
      records.push(row);
    const registrations: StoredRegistration[] = [];
    const unreadable: UnreadableEntry[] = [];
    for (const { key, value } of this.#rows("SELECT key, value, 0 AS version, sum FROM registrations")) {
      try {
        registrations.push(readStoredRegistration(key, value));
      } catch (error) {
        unreadable.push({ key, reason: describeError(error) });
      }
    }
    return { records, registrations, unreadable };
  }

  async commit(writes: readonly VersionedRecord[]): Promise<number> {
    const version = this.#version + 1;
    this.#transaction(() => {
      for (const { key, value, version: expected } of writes) {
        const current = Number(this.#versionOf.get(key)?.["version"] ?? 0);
        if (current !== expected)
          throw new StoreError("conflict", `Cannot write ${key}: it is at version ${current}, wanted ${expected}`);
        if (value === null) this.#remove.run(key);
        else {
          const text = JSON.stringify(value);
          this.#put.run(key, text, version, checksum(key, text));
        }
      }
      this.#setVersion.run(version);
    });
    this.#version = version;
    return version;
  }

  async #saveRegistrations({ stored, gone }: RegistrationChanges): Promise<void> {
    const writes = [
      ...gone.map((key) => () => void this.#removeRegistration.run(key)),
      ...stored.map((one) => () => {
        const key = instanceKey(one.registration);
        const text = JSON.stringify(one);
        this.#putRegistration.run(key, text, checksum(key, text));
      }),
    ];
    // Writing nothing would succeed on a full disk.
    if (this.#outage !== null) writes.push(() => void this.#setVersion.run(this.#version));
    for (let at = 0; at < writes.length; at += REGISTRATIONS_A_TRANSACTION) {
      if (at > 0) await setImmediate();
      this.#transaction(() => writes.slice(at, at + REGISTRATIONS_A_TRANSACTION).forEach((write) => write()));
    }
  }

  follow(): void {
    // The folder belongs to this directory alone, so nobody else writes.
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  /** Row by row: the texts of 100,000 registrations together would be as large as all that is made of them. */
  *#rows(query: string): Generator<VersionedRecord> {
    const rows = this.#database.prepare(query).iterate() as unknown as Iterator<Row>;
    for (let row = this.#read(rows); row !== null; row = this.#read(rows)) {
      const { key, value, version, sum } = row;
      if (checksum(key, value) !== sum) throw damaged(this.#path, `the checksum of ${key} is wrong`);
      yield { key, value: parseJson(value), version };
    }
  }

  #read(rows: Iterator<Row>): Row | null {
    try {
      const next = rows.next();
      return next.done === true ? null : next.value;
    } catch (cause) {
      throw asStoreError(cause, this.#path);
    }
  }

  /**
   * Fails where the file was removed: SQLite would go on writing to a file that nobody can open again, and the changes
   * would be lost with this process.
   */
  #requireFile(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new Error("it was removed or replaced while it was in use; bring it back, or start the directory anew");
  }

  #transaction(write: () => void): void {
    try {
      this.#requireFile();
      this.#database.exec("BEGIN IMMEDIATE");
      write();
      this.#database.exec("COMMIT");
      this.#outage = null;
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      if (cause instanceof StoreError) throw cause;
      const why = diskError(cause, this.#path);
      const reason = explainSystemError(why);
      this.#outage ??= { sinceMs: this.#clock.nowMs(), reason };
      throw new StoreError("unavailable", `Cannot write to ${this.#path}: ${reason}`, { cause: why });
    }
  }
}
