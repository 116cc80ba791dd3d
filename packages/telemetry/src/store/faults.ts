import { explainSystemError, systemErrorCode } from "@datawire/runtime";

/**
 * What is wrong where a file cannot be used: `damaged` is of the file alone, which is set aside; `full` and `out-of-reach`
 * are of the disk, which may come back.
 */
export type FaultKind = "damaged" | "full" | "out-of-reach";

/** A store of traces that cannot be written or read. */
export class TracesFault extends Error {
  override readonly name = "TracesFault";
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const SQLITE_FULL = 13;
/** SQLITE_PERM, _BUSY, _LOCKED, _NOMEM, _READONLY, _IOERR, _CANTOPEN: of the disk, of rights, of another process. */
const OUT_OF_REACH: ReadonlySet<number> = new Set([3, 5, 6, 7, 8, 10, 14]);
/** An extended code of SQLITE_IOERR: the file ends too early, which is damage. */
const SHORT_READ = 522;
/** Codes of the system that say that there is no room. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** What an error of SQLite or of the system says of a file. */
export function faultOf(cause: unknown, path: string): TracesFault {
  if (cause instanceof TracesFault) return cause;
  const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : null;
  return new TracesFault(kindOf(cause, code), `Cannot use ${path}: ${explainSystemError(cause)}`, { cause });
}

function kindOf(cause: unknown, code: number | null): FaultKind {
  if (code === null) {
    const system = systemErrorCode(cause);
    if (system !== undefined && NO_ROOM.has(system)) return "full";
    return system === undefined ? "damaged" : "out-of-reach";
  }
  const primary = code & 0xff; // the rest says more of it (sqlite.org/rescode.html)
  if (primary === SQLITE_FULL) return "full";
  return OUT_OF_REACH.has(primary) && code !== SHORT_READ ? "out-of-reach" : "damaged";
}
