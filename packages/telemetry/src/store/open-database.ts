import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { faultOf, TracesFault } from "./faults.ts";

/** What a file of the store is made of. */
export interface FileForm {
  /** Makes the tables of a new one, with its application id and its version. */
  readonly schema: string;
  readonly applicationId: number;
  readonly version: number;
}

/** What one file may keep in memory, in KiB: there may be a hundred of them. */
const CACHE_KIB = 2_048;
/** Pages of the log after which it goes into the file. */
const CHECKPOINT_PAGES = 1_000;

/**
 * Opens a file and takes it for this process alone; makes it where there is none. What is committed is on the disk.
 * @throws TracesFault
 */
export function openDatabase(path: string, { schema, applicationId, version }: FileForm): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    if (!existsSync(path)) closeSync(openSync(path, "ax", 0o600)); // its log gets the same mode
    database = new DatabaseSync(path, { timeout: 0, enableDoubleQuotedStringLiterals: false });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    const form = formOf(database);
    // Before anything is set in it.
    if (form.application === applicationId && form.found > version)
      throw new TracesFault(
        "newer",
        `Cannot use ${path}: a newer version wrote it (form ${form.found}, this version knows ${version})`,
      );
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -${CACHE_KIB};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA trusted_schema = OFF;
      PRAGMA cell_size_check = ON;
    `);
    // Also where its disk was full, or its process ended, before it had any.
    if (isBare(database)) database.exec(`BEGIN IMMEDIATE; ${schema}; COMMIT`);
    const { application, found } = formOf(database);
    if (application !== applicationId || found !== version)
      throw new TracesFault("damaged", `Cannot use ${path}: it holds no traces of this version`);
    return database;
  } catch (error) {
    database?.close();
    throw faultOf(error, path);
  }
}

function formOf(database: DatabaseSync): { readonly application: number; readonly found: number } {
  const [{ application_id: application } = {}] = database.prepare("PRAGMA application_id").all();
  const [{ user_version: found } = {}] = database.prepare("PRAGMA user_version").all();
  return { application: Number(application), found: Number(found) };
}

/** Whether nothing was ever made in it, by anyone. */
function isBare(database: DatabaseSync): boolean {
  const [{ bare } = {}] = database
    .prepare(
      `SELECT (SELECT count(*) FROM sqlite_schema) = 0 AND application_id = 0 AND user_version = 0 AS bare
       FROM pragma_application_id, pragma_user_version`,
    )
    .all();
  return bare === 1;
}

/** What tells a file from another one at its path; -1 where there is none. */
export const inodeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ino ?? -1;

/** Does what `work` does as a whole, on the disk once it returns. @throws TracesFault, and nothing was done. */
export function inTransaction(database: DatabaseSync, path: string, work: () => void): void {
  try {
    database.exec("BEGIN IMMEDIATE");
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec("ROLLBACK");
    throw faultOf(error, path);
  }
}
