import { createHash, type Hash } from "node:crypto";
import { describeError } from "@datawire/runtime";
import { z } from "zod";
import { type Backup, BACKUP_HEAD } from "./backup.ts";
import { BackupBuilder } from "./backup-builder.ts";
import { StoreError } from "../contract.ts";
import { SQLITE_MAGIC } from "../embedded/database.ts";

/** The longest line: the largest change in a history is a tenth of it. */
export const BACKUP_LINE_BYTES_MAX = 4 * 1024 * 1024;

const headSchema = z.object({ format: z.literal(BACKUP_HEAD.format), version: z.int() });
const lineSchema = z.union([
  z.strictObject({ record: z.string(), value: z.unknown() }),
  z.strictObject({ registration: z.string(), value: z.unknown() }),
  z.strictObject({ tenant: z.string() }),
  z.strictObject({ end: z.strictObject({ lines: z.int(), sha256: z.string() }) }),
]);

/**
 * Reads a backup as it comes, line by line, and keeps of each line only what it means.
 * @throws StoreError `damaged` that says which line is wrong, and why; nothing of the backup is of use then.
 */
export async function readBackup(source: AsyncIterable<Uint8Array>): Promise<Backup> {
  const reader = new Reader();
  for await (const line of linesOf(source)) reader.take(line);
  return reader.end();
}

/** The error that refuses a backup. */
export function unusable(why: string): StoreError {
  return new StoreError("damaged", `Cannot use the file as a backup: ${why}`);
}

class Reader {
  readonly #builder = new BackupBuilder();
  readonly #hash: Hash = createHash("sha256");
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #lines = 0;
  #state: "head" | "content" | "ended" = "head";

  take(line: Uint8Array): void {
    try {
      this.#take(this.#parse(line), line);
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw unusable(`line ${this.#lines + 1}: ${describeError(error)}`);
    }
    this.#lines += 1;
  }

  end(): Backup {
    if (this.#state === "head") throw unusable("it is empty");
    if (this.#state === "content") throw unusable("its end is missing; it was written, or sent, only in part");
    return this.#builder.made();
  }

  #parse(line: Uint8Array): unknown {
    let text: string;
    try {
      text = this.#decoder.decode(line);
    } catch {
      throw this.#state === "head" ? notOurs() : new Error("it is not text in UTF-8");
    }
    try {
      return JSON.parse(text);
    } catch {
      throw this.#state === "head" ? notOurs() : new Error("it is no JSON");
    }
  }

  #take(value: unknown, line: Uint8Array): void {
    switch (this.#state) {
      case "head":
        this.#begin(value);
        break;
      case "content":
        this.#add(value);
        break;
      case "ended":
        throw new Error("it follows the end");
    }
    if (this.#state === "content") this.#hash.update(line).update("\n");
  }

  #begin(value: unknown): void {
    const head = headSchema.safeParse(value);
    if (!head.success) throw notOurs();
    const { version } = head.data;
    if (version !== BACKUP_HEAD.version)
      throw unusable(`it is of form ${version}, and this version knows form ${BACKUP_HEAD.version}`);
    this.#state = "content";
  }

  #add(value: unknown): void {
    const read = lineSchema.safeParse(value);
    if (!read.success) throw new Error("it is no record, no registration, no tenant and no end");
    const line = read.data;
    if ("record" in line) return this.#builder.record(line.record, line.value);
    if ("registration" in line) return this.#builder.registration(line.registration, line.value);
    if ("tenant" in line) return this.#builder.tenant(line.tenant);
    const { lines, sha256 } = line.end;
    if (lines !== this.#lines) throw new Error(`the end counts ${lines} lines, and there are ${this.#lines}`);
    if (sha256 !== this.#hash.digest("hex")) throw new Error("the hash is another one; the file was changed");
    this.#state = "ended";
  }
}

function notOurs(): StoreError {
  return unusable("wanted one that `directory backup` made");
}

/** Splits at line feeds; what is left at the end is a line too. */
async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let bytes = 0;
  let isFirst = true;
  for await (const chunk of source) {
    if (isFirst) requireText(chunk);
    isFirst = false;
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, at)]);
      from = at + 1;
      rest = [];
      bytes = 0;
    }
    const left = chunk.subarray(from);
    if (left.length > 0) rest.push(left);
    bytes += left.length;
    if (bytes > BACKUP_LINE_BYTES_MAX) throw unusable(`a line of it has more than ${BACKUP_LINE_BYTES_MAX} bytes`);
  }
  if (bytes > 0) yield Buffer.concat(rest);
}

const LINE_FEED = 0x0a;

/** For a backup of version 0.1.0, says what to do with it, rather than that it is not text. */
function requireText(start: Uint8Array): void {
  if (Buffer.from(start.subarray(0, SQLITE_MAGIC.length)).toString("latin1") !== SQLITE_MAGIC) return;
  throw unusable("it is a database, as version 0.1.0 made them; `directory restore FILE` takes it");
}
