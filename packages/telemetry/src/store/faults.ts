import { explainSystemError, systemErrorCode } from "@datawire/runtime";

/**
 * What is wrong where a file cannot be used: `damaged` is of the file alone, which is set aside; `full` and `out-of-reach`
 * are of the disk, which may come back; `newer` is of a file that a newer version wrote, which stays as it is; `failed` is
 * of this program, and says nothing of any of these.
 */
export type FaultKind = "damaged" | "newer" | "full" | "out-of-reach" | "failed";

/** A store of traces that cannot be written or read. */
export class TracesFault extends Error {
  override readonly name = "TracesFault";
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const SQLITE_ERROR = 1;
const SQLITE_FULL = 13;
/** SQLITE_PERM, _BUSY, _LOCKED, _NOMEM, _READONLY, _IOERR, _CANTOPEN, _PROTOCOL: of the disk, of rights, of another process. */
const OUT_OF_REACH: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 14, 15]);
/** SQLITE_CORRUPT, _FORMAT, _NOTADB. */
const DAMAGED: ReadonlySet<number> = new Set([11, 24, 26]);
/**
 * SQLITE_IOERR_SHORT_READ: the file ends too early. SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID: rows are looked for
 * before they are written, so that a table and its index say different things.
 */
const DAMAGED_EXTENDED: ReadonlySet<number> = new Set([522, 1555, 2067, 2579]);
/** What FTS5 says, as SQLITE_ERROR, of an index that it cannot read. */
const DAMAGED_INDEX = /fts5 file format|vtable constructor failed/;
/** Codes of the system that say that there is no room. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** What an error says of a file: only signs of damage make it `damaged`, and an error of this program is none. */
export function faultOf(cause: unknown, path: string): TracesFault {
  if (cause instanceof TracesFault) return cause;
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : null;
  return new TracesFault(kindOf(cause, code), `Cannot use ${path}: ${explainSystemError(cause)}`, { cause });
}

function kindOf(cause: unknown, code: number | null): FaultKind {
  if (code === null) return kindOfSystem(systemErrorCode(cause));
  const primary = code & 0xff; // the rest says more of it (sqlite.org/rescode.html)
  if (primary === SQLITE_FULL) return "full";
  if (DAMAGED.has(primary) || DAMAGED_EXTENDED.has(code)) return "damaged";
  if (primary === SQLITE_ERROR && cause instanceof Error && DAMAGED_INDEX.test(cause.message)) return "damaged";
  return OUT_OF_REACH.has(primary) ? "out-of-reach" : "failed";
}

function kindOfSystem(code: string | undefined): FaultKind {
  // Node's own codes are of calls that cannot be right.
  if (code === undefined || code.startsWith("ERR_")) return "failed";
  return NO_ROOM.has(code) ? "full" : "out-of-reach";
}
