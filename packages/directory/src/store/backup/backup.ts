import { createHash } from "node:crypto";
import { instanceKey } from "@datawire/protocol";
import type { StoreContent } from "../contract.ts";
import type { PlainRecord } from "../replacement.ts";

/**
 * A backup is text, with one JSON value in each line, so that reading it can execute nothing. The first line says what
 * it is, the last one how many lines there are before it and what their hash is; between them, one line for each record
 * and each registration, those of the directory's own table first, then those of each tenant behind a line with its
 * name.
 */

/** What is kept for those who share a table. */
export interface BackupContent extends Pick<StoreContent, "registrations"> {
  readonly records: readonly PlainRecord[];
}

/** What a directory keeps: its own store, and that of each tenant by name. */
export interface Backup extends BackupContent {
  readonly tenants: ReadonlyMap<string, BackupContent>;
}

/** Where what is kept is read. */
export interface BackupSource {
  own(): Promise<BackupContent>;
  listTenants(): Promise<readonly string[]>;
  tenant(name: string): Promise<BackupContent>;
}

/** Gathers what a directory keeps. */
export async function collectBackup({ own, listTenants, tenant }: BackupSource): Promise<Backup> {
  const tenants = new Map<string, BackupContent>();
  for (const name of await listTenants()) tenants.set(name, await tenant(name));
  const { records, registrations } = await own();
  return { records, registrations, tenants };
}

/** The first line. */
export const BACKUP_HEAD = { format: "datawire-backup", version: 2 } as const;

/** Lines are handed on in parts of about this many characters. */
const PART_CHARACTERS = 64 * 1024;

/** Writes a backup, part by part. */
export function* writeBackup(backup: Backup): Generator<Uint8Array> {
  const hash = createHash("sha256");
  let lines = 0;
  let part = "";
  const take = (): Uint8Array => {
    const bytes = Buffer.from(part);
    hash.update(bytes);
    part = "";
    return bytes;
  };
  for (const line of linesOf(backup)) {
    part += `${JSON.stringify(line)}\n`;
    lines += 1;
    if (part.length >= PART_CHARACTERS) yield take();
  }
  yield take();
  yield Buffer.from(`${JSON.stringify({ end: { lines, sha256: hash.digest("hex") } })}\n`);
}

function* linesOf({ tenants, ...own }: Backup): Generator<object> {
  yield BACKUP_HEAD;
  yield* contentLines(own);
  for (const [tenant, content] of tenants) {
    yield { tenant };
    yield* contentLines(content);
  }
}

function* contentLines({ records, registrations }: BackupContent): Generator<object> {
  for (const { key, value } of records) yield { record: key, value };
  for (const value of registrations) yield { registration: instanceKey(value.registration), value };
}
