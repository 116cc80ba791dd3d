import { expect, test } from "vitest";
import { faultOf, TracesFault } from "./faults.ts";

const sqlite = (errcode: number, message = "as SQLite puts it"): Error =>
  Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode });
const system = (code: string): Error => Object.assign(new Error("as Node puts it"), { code });

test.each([
  ["SQLITE_CORRUPT", sqlite(11), "damaged"],
  ["SQLITE_CORRUPT_VTAB", sqlite(267), "damaged"],
  ["SQLITE_NOTADB", sqlite(26), "damaged"],
  ["SQLITE_IOERR_SHORT_READ", sqlite(522), "damaged"],
  ["SQLITE_CONSTRAINT_UNIQUE", sqlite(2067), "damaged"],
  ["an index of another form", sqlite(1, "invalid fts5 file format (found 0, expected 4 or 5)"), "damaged"],
  ["SQLITE_FULL", sqlite(13), "full"],
  ["ENOSPC", system("ENOSPC"), "full"],
  ["EDQUOT", system("EDQUOT"), "full"],
  ["SQLITE_IOERR_FSYNC", sqlite(1034), "out-of-reach"],
  ["SQLITE_READONLY", sqlite(8), "out-of-reach"],
  ["SQLITE_CANTOPEN", sqlite(14), "out-of-reach"],
  ["EACCES", system("EACCES"), "out-of-reach"],
  ["EIO", system("EIO"), "out-of-reach"],
  ["a statement that is wrong", sqlite(1, 'near "SELEKT": syntax error'), "failed"],
  ["SQLITE_CONSTRAINT_NOTNULL", sqlite(1299), "failed"],
  ["SQLITE_MISUSE", sqlite(21), "failed"],
  ["a wrong argument", system("ERR_INVALID_ARG_TYPE"), "failed"],
  ["an error without a code", new TypeError("Cannot read properties of undefined"), "failed"],
  ["what is no error", "text", "failed"],
] as const)("faultOf() of %s", (_, cause, kind) => {
  const fault = faultOf(cause, "/traces/a.db");
  expect(fault).toMatchObject({ kind, cause });
  expect(fault.message).toMatch(/^Cannot use \/traces\/a\.db: /);
});

test("faultOf() leaves a fault as it is", () => {
  const fault = new TracesFault("damaged", "known");
  expect(faultOf(fault, "/other")).toBe(fault);
});
