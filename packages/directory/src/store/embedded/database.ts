import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { chmod, link, open, rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { explainSystemError, fileError, readJsonFile, systemErrorCode, writeFileAtomically } from "@datawire/runtime";
import { z } from "zod";
import { StoreError } from "../contract.ts";

/** "dwdi": marks a SQLite file as the store of a directory. */
const APPLICATION_ID = 0x64_77_64_69;
/** The form of the tables; a store of a newer form is refused. */
const SCHEMA_VERSION = 1;

/** How every SQLite file begins. */
export const SQLITE_MAGIC = "SQLite format 3\0";
/** Where the header of a SQLite file has the application id and the user version, big-endian (fileformat2.html, 1.3). */
const HEADER = { bytes: 100, applicationIdAt: 68, userVersionAt: 60 } as const;

/** The tables of a directory, as SQLite keeps their statements. */
const TABLES = [
  "CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE registrations (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
] as const;

/** What `SELECT type, name, sql FROM sqlite_schema ORDER BY name` gives of a database that a directory made. */
export function expectedSchema(): readonly object[] {
  const database = new DatabaseSync(":memory:");
  try {
    database.exec(TABLES.join(";"));
    return database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();
  } finally {
    database.close();
  }
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
/**
 * SQLITE_PERM, _READONLY, _IOERR, _FULL and _CANTOPEN: these are about the disk and permissions, and say nothing about
 * what is in the file.
 */
const SQLITE_OUT_OF_REACH: ReadonlySet<number> = new Set([3, 8, 10, 13, 14]);
/** An extended code of SQLITE_IOERR: the file ends too early, which is damage. */
const SQLITE_IOERR_SHORT_READ = 522;

/**
 * Opens the database of a directory and takes it for this process alone.
 * @throws StoreError; a file that is refused is left as it is.
 */
export async function openDatabase(path: string, owner: string): Promise<DatabaseSync> {
  if (!(await exists(path))) await create(path);
  const isVerified = verify(path, await ownerOf(path));
  const database = openExclusively(path, await ownerOf(path));
  if (!isVerified) verifyOpen(database, path);
  await noteOwner(path, owner);
  return database;
}

/** The error that refuses a store which cannot be trusted. */
export function damaged(path: string, what: string, cause?: unknown): StoreError {
  return new StoreError(
    "damaged",
    `Cannot use the store ${path}: ${what}; it was left as it is. Restore a backup with \`directory restore\`, or move the file away to start empty`,
    { cause },
  );
}

/** Looks at the first bytes without SQLite, which would take an empty or a foreign file for its own. */
async function exists(path: string): Promise<boolean> {
  let header: Buffer;
  try {
    const file = await open(path, "r");
    try {
      header = (await file.read({ buffer: Buffer.alloc(HEADER.bytes), position: 0 })).buffer;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (systemErrorCode(cause) === "ENOENT") return false;
    throw new StoreError("unavailable", fileError("read the store", path, cause).message);
  }
  if (!header.toString("latin1").startsWith(SQLITE_MAGIC)) throw damaged(path, "it is not a SQLite file");
  if (header.readUInt32BE(HEADER.applicationIdAt) !== APPLICATION_ID)
    throw damaged(path, "it is a SQLite file of another application");
  const version = header.readUInt32BE(HEADER.userVersionAt);
  if (version > SCHEMA_VERSION)
    throw damaged(path, `a newer version wrote it (form ${version}, this version knows ${SCHEMA_VERSION})`);
  return true;
}

/**
 * Checks the whole file on a connection that cannot write, so that a damaged one is not touched.
 * @returns whether it could: beside a log, as a kill leaves it, such a connection wants room for an index of that.
 */
function verify(path: string, owner: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    requireSound(database, path);
    return true;
  } catch (cause) {
    if (systemErrorCode(diskError(cause, path)) === "ENOSPC") return false;
    throw asStoreError(cause, path, owner);
  } finally {
    database?.close();
  }
}

/** Checks the whole file on the connection that has it alone, and needs no room for it; closes that where it is damaged. */
function verifyOpen(database: DatabaseSync, path: string): void {
  try {
    requireSound(database, path);
  } catch (cause) {
    database.close();
    throw asStoreError(cause, path);
  }
}

/** @throws StoreError, or an error of SQLite. */
function requireSound(database: DatabaseSync, path: string): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('records', 'registrations')").all();
  if (tables.length !== 2) throw damaged(path, "it lacks the tables of a directory");
  const [finding] = database
    .prepare("PRAGMA quick_check(1)")
    .all()
    .map((row) => row["quick_check"]);
  if (finding !== "ok") throw damaged(path, `SQLite finds it damaged (${String(finding)})`);
}

function openExclusively(path: string, owner: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // The lock is taken by the first access and held until the process ends, however it ends.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec("BEGIN IMMEDIATE; COMMIT");
    return database;
  } catch (cause) {
    database?.close();
    throw asStoreError(cause, path, owner);
  }
}

/** Makes an empty store elsewhere and puts it in place whole, so that a first start that is killed leaves none or a good one. */
async function create(path: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const database = new DatabaseSync(temporary);
    database.exec(`
      PRAGMA synchronous = FULL;
      BEGIN IMMEDIATE;
      ${TABLES.join(";\n")};
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${SCHEMA_VERSION};
      COMMIT;
    `);
    database.close();
    await chmod(temporary, 0o600); // its log gets the same mode
    // A link, unlike a rename, never replaces what another directory put there in the meantime.
    await link(temporary, path);
  } catch (cause) {
    if (systemErrorCode(cause) === "EEXIST") return;
    throw outOfReach("make", path, cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What an error of SQLite says of the store. */
export function asStoreError(cause: unknown, path: string, owner = "another process"): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : 0;
  const primary = code & 0xff; // the rest says more of it (sqlite.org/rescode.html)
  if (primary === SQLITE_BUSY) {
    return new StoreError(
      "in_use",
      `Cannot use the store ${path}: ${owner} uses it; stop that one, or choose another folder with --data-dir`,
    );
  }
  if (SQLITE_OUT_OF_REACH.has(primary) && code !== SQLITE_IOERR_SHORT_READ) return outOfReach("open", path, cause);
  return damaged(path, `SQLite cannot read it (${explainSystemError(cause)})`, cause);
}

function outOfReach(action: "make" | "open", path: string, cause: unknown): StoreError {
  const why = diskError(cause, path);
  const { message } = fileError(`${action} the store`, path, why);
  const hint =
    why === cause && systemErrorCode(cause) === "ERR_SQLITE_ERROR"
      ? "; is its disk full, or may this user not write there?"
      : "";
  return new StoreError("unavailable", `${message}${hint}`, { cause: why });
}

/**
 * The system's reason for an error for which SQLite gives none, found by reading and writing next to the store as
 * SQLite does. The error itself where that works.
 */
export function diskError(cause: unknown, path: string): unknown {
  if (!(cause instanceof Error) || !("errcode" in cause)) return cause;
  if ((Number(cause.errcode) & 0xff) === SQLITE_FULL)
    return Object.assign(new Error(cause.message), { code: "ENOSPC" });
  const trial = `${path}.${randomBytes(6).toString("hex")}.trial`;
  try {
    if (existsSync(path)) closeSync(openSync(path, "r+"));
    writeFileSync(trial, Buffer.alloc(TRIAL_BYTES), { mode: 0o600, flag: "wx" });
    return cause;
  } catch (error) {
    return error;
  } finally {
    rmSync(trial, { force: true });
  }
}

/** As much as SQLite writes at once. */
const TRIAL_BYTES = 4_096;

/**
 * Notes who has the store, for the message that refuses another directory. It may fail, so that a directory on a full
 * disk can serve all the same.
 */
async function noteOwner(path: string, owner: string): Promise<void> {
  const note = JSON.stringify({ owner, pid: process.pid });
  await writeFileAtomically(ownerPath(path), note, { mode: 0o600 }).catch(() => {});
}

const ownerPath = (path: string): string => `${path}.owner`;

const ownerSchema = z.object({ owner: z.string(), pid: z.int() });
const OWNER_BYTES_MAX = 4_096;

/** Who wrote the owner file last, which is who holds the lock when somebody does. */
async function ownerOf(path: string): Promise<string> {
  const read = await readJsonFile(ownerPath(path), { bytesMax: OWNER_BYTES_MAX });
  const note = read.state === "read" ? ownerSchema.safeParse(read.value) : null;
  return note?.success === true ? `the directory ${note.data.owner} (process ${note.data.pid})` : "another process";
}
