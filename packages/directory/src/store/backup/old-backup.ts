import { open } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { describeError, explainSystemError } from "@datawire/runtime";
import { z } from "zod";
import type { Backup } from "./backup.ts";
import { BackupBuilder } from "./backup-builder.ts";
import { checksum } from "../embedded/checksum.ts";
import { expectedSchema, SQLITE_MAGIC } from "../embedded/database.ts";
import { BACKUP_LINE_BYTES_MAX, unusable } from "./read-backup.ts";

/** For a file of the largest size, on a slow disk. */
const READ_MS_MAX = 120_000;
const HEAP_MB_MAX = 512;
/** In a backup of version 0.1.0, a tenant is one record below this. */
const TENANT_PREFIX = "tenants/";

const tenantSchema = z.object({
  records: z.array(z.object({ key: z.string(), value: z.unknown() })),
  registrations: z.array(z.unknown()),
});

/** Whether a file is a database, which is what version 0.1.0 made backups of. */
export async function isOldBackup(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(SQLITE_MAGIC.length), position: 0 });
    return buffer.subarray(0, bytesRead).toString("latin1") === SQLITE_MAGIC;
  } finally {
    await file.close();
  }
}

/**
 * Reads a backup that version 0.1.0 made. A database can hold statements that whoever reads it runs: it is taken only
 * with exactly the tables that a directory makes, and read by a thread of its own, which is ended where it takes long.
 * @throws StoreError `damaged`
 */
export async function readOldBackup(path: string, readMsMax: number = READ_MS_MAX): Promise<Backup> {
  const builder = new BackupBuilder();
  const later: Row[] = [];
  for (const row of await readRows(path, readMsMax)) {
    if (row.table === "records" && row.key.startsWith(TENANT_PREFIX)) later.push(row);
    else add(builder, row.table, row.key, parse(row));
  }
  for (const row of later) addTenant(builder, row);
  return builder.made();
}

interface Row {
  readonly table: "records" | "registrations";
  readonly key: string;
  readonly value: string;
  readonly sum: number;
}

function addTenant(builder: BackupBuilder, row: Row): void {
  const read = tenantSchema.safeParse(parse(row));
  if (!read.success) throw unusable(`${row.key} is no tenant`);
  alone(row.key, () => builder.tenant(row.key.slice(TENANT_PREFIX.length)));
  for (const { key, value } of read.data.records) add(builder, "records", key, value);
  for (const value of read.data.registrations) add(builder, "registrations", keyOf(value), value);
}

function add(builder: BackupBuilder, table: Row["table"], key: string, value: unknown): void {
  alone(key, () => (table === "records" ? builder.record(key, value) : builder.registration(key, value)));
}

function alone(key: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw unusable(`${key}: ${describeError(error)}`);
  }
}

function parse({ key, value, sum }: Row): unknown {
  if (checksum(key, value) !== sum) throw unusable(`the checksum of ${key} is wrong`);
  try {
    return JSON.parse(value);
  } catch {
    throw unusable(`${key} is no JSON`);
  }
}

const registrationKey = z.object({ registration: z.object({ service: z.string(), name: z.string() }) });

/** A tenant's registrations stand there without their keys. */
function keyOf(value: unknown): string {
  const read = registrationKey.safeParse(value);
  return read.success ? `${read.data.registration.service}@${read.data.registration.name}` : "a registration";
}

type Answer = { readonly rows: readonly Row[] } | { readonly refused: string };

async function readRows(path: string, readMsMax: number): Promise<readonly Row[]> {
  const url = pathToFileURL(path);
  // As it is, without looking for a log beside it, which would be run into it, and without leaving one there.
  url.searchParams.set("immutable", "1");
  const workerData = { href: url.href, schema: expectedSchema(), valueBytesMax: BACKUP_LINE_BYTES_MAX };
  const worker = new Worker(`(${readDatabase.toString()})()`, {
    eval: true,
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  let cut: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("its reader ended")));
      cut = setTimeout(() => reject(new Error(`it takes more than ${readMsMax / 1000} s to read`)), readMsMax);
    });
    if ("rows" in answer) return answer.rows;
    throw unusable(answer.refused);
  } catch (cause) {
    throw unusable(explainSystemError(cause));
  } finally {
    clearTimeout(cut);
    await worker.terminate();
  }
}

/** Runs in a thread that has nothing else: it can refer to nothing of this file. */
function readDatabase(): void {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { href, schema, valueBytesMax } = workerData as { href: string; schema: unknown[]; valueBytesMax: number };
  const read = (): Answer => {
    const database = new DatabaseSync(new URL(href), { readOnly: true, enableDoubleQuotedStringLiterals: false });
    // No function with an effect may be called by what stands in the file, and no cell is taken on trust.
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    const found = database.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all();
    if (JSON.stringify(found) !== JSON.stringify(schema))
      return { refused: "its tables are none that a directory makes" };
    const [check] = database.prepare("PRAGMA quick_check(1)").all();
    if (check?.["quick_check"] !== "ok") return { refused: `it is damaged (${String(check?.["quick_check"])})` };
    const rows: Row[] = [];
    for (const table of ["records", "registrations"] as const) {
      for (const row of database.prepare(`SELECT key, value, sum FROM ${table}`).iterate()) {
        const { key, value, sum } = row as { key?: unknown; value?: unknown; sum?: unknown };
        if (typeof key !== "string" || typeof value !== "string" || typeof sum !== "number")
          return { refused: `a row of ${table} is of another type` };
        const limit = table === "records" && key.startsWith("tenants/") ? Number.POSITIVE_INFINITY : valueBytesMax;
        if (value.length > limit) return { refused: `${key} has more than ${valueBytesMax} bytes` };
        rows.push({ table, key, value, sum });
      }
    }
    return { rows };
  };
  let answer: Answer;
  try {
    answer = read();
  } catch (error) {
    answer = { refused: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(answer, []);
}
