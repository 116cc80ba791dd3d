import { stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { emptyChange, type LeftOut, readEntities, type ReportedProblem, type TableChange } from "@datawire/protocol";
import {
  type Clock,
  describeError,
  type Logger,
  makePrivateFolder,
  type ProblemBoard,
  readJsonFile,
  writeFileAtomically,
  isoTime,
} from "@datawire/runtime";
import { z } from "zod";
import type { Position } from "../core/catalog-replica.ts";

/** The last known table, as it is on disk. */
export interface SavedTable {
  readonly table: TableChange;
  /** Null for a table that is no revision of the directory's. */
  readonly position: Position | null;
  /** When it was last known to be the directory's. */
  readonly savedAtMs: number;
  /** The entities that could not be read. */
  readonly leftOut: readonly LeftOut[];
}

/** Quiet for this long, a change is written; under steady changes, one is after the longest wait. */
const WAIT_MIN_MS = 100;
const WAIT_MAX_MS = 1_000;
/** A large table takes long to write: at most one part in this many of the time goes into it. */
const REST_FACTOR = 20;
/** After a disk that took nothing. */
const RETRY_MS = 5_000;
/** About a million instances. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;
/** The log need not have them all. */
const REASONS_MAX = 10;

const list = z.array(z.unknown()).default([]);

/** The entities are read one by one: an unreadable entity must not cost the others. */
const fileSchema = z.object({
  format: z.literal(1),
  savedAt: z.iso.datetime(),
  position: z.object({ epoch: z.string(), revision: z.int() }).nullable(),
  table: z.object({ services: list, instances: list, tables: list }),
});

/** What keeps the table between two starts; by default the file system. */
export interface TableDisk {
  read(path: string): ReturnType<typeof readJsonFile>;
  /** When the file was last written or touched, in milliseconds since 1970. */
  touchedMs(path: string): Promise<number>;
  /** Makes the folder, and writes so that a reader finds all or nothing. */
  write(path: string, text: string): Promise<void>;
  /** Sets the time of the file, in milliseconds since 1970. */
  touch(path: string, atMs: number): Promise<void>;
}

interface ReadDeps {
  readonly log: Logger;
  readonly board?: Pick<ProblemBoard, "set"> | undefined;
  readonly disk?: Pick<TableDisk, "read" | "touchedMs"> | undefined;
}

/** The source of a board for what is wrong with the file, until a table of the directory has come. */
export const SAVED_TABLE = "saved table";

/** Reads the file; null where there is none, or a damaged one, of which the log tells. */
export async function readSavedTable(
  path: string,
  { log, board, disk = fileSystem }: ReadDeps,
): Promise<SavedTable | null> {
  const tell = (what: string): void => {
    const remedy = "it is as it should be again with the first table of the directory";
    board?.set(SAVED_TABLE, [{ subject: path, message: `the last table is ${what}`, remedy }]);
  };
  const ignore = (reason: string): null => {
    log.warn("Last known table ignored", { path, reason });
    tell(`ignored: ${reason}`);
    return null;
  };
  const read = await disk.read(path);
  if (read.state === "missing") return null;
  if (read.state === "unusable") return ignore(read.reason);
  const parsed = fileSchema.safeParse(read.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return ignore(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
  }
  const { position, savedAt } = parsed.data;
  const { leftOut, ...entities } = readEntities(parsed.data.table);
  if (leftOut.length > 0) {
    const reasons = leftOut.slice(0, REASONS_MAX).map(({ reason }) => reason);
    log.error("Parts of the last known table left out", { path, entities: leftOut.length, reasons });
    tell(`used without ${leftOut.length} parts that cannot be read: ${reasons[0]}`);
  }
  // The file's own time moves on while the table is followed and nothing changes.
  const confirmedMs = await disk.touchedMs(path).catch(() => 0);
  const table = { ...emptyChange(), ...entities };
  return { table, position, leftOut, savedAtMs: Math.max(Date.parse(savedAt), confirmedMs) };
}

type Take = () => Pick<SavedTable, "table" | "position">;

interface TableSaverDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What an operator should see of this program. */
  readonly board?: Pick<ProblemBoard, "set"> | undefined;
  readonly disk?: Pick<TableDisk, "write" | "touch"> | undefined;
}

/** Keeps the file, and its folder, up with the table; not at each change, but soon after. */
export class TableSaver {
  readonly #path: string;
  readonly #deps: TableSaverDeps;
  readonly #disk: Pick<TableDisk, "write" | "touch">;
  #take: Take | null = null;
  #cancelTimer = (): void => {};
  /** When the change that waits longest must be written; null when none waits. */
  #dueMs: number | null = null;
  #earliestMs = 0;
  #writing: Promise<void> | null = null;
  #failed = false;
  #closed = false;

  constructor(path: string, deps: TableSaverDeps) {
    this.#path = path;
    this.#deps = deps;
    this.#disk = deps.disk ?? fileSystem;
  }

  /** Has the table written soon; `take` is asked for it when it is time. */
  save(take: Take): void {
    if (this.#closed) return;
    this.#take = take;
    this.#dueMs ??= this.#deps.clock.monotonicMs() + WAIT_MAX_MS;
    if (this.#writing === null) this.#schedule();
  }

  /** Notes that what is on disk is the directory's table still: its age is that of the last word, not of the last change. */
  async confirm(): Promise<void> {
    if (this.#closed || this.#failed || this.#take !== null || this.#writing !== null) return;
    const { clock, log } = this.#deps;
    try {
      await this.#disk.touch(this.#path, clock.nowMs());
    } catch (error) {
      log.debug("Last known table is not confirmed", { path: this.#path, error });
    }
  }

  /** Writes what still waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    await this.#writing;
    if (this.#take !== null) await this.#write();
  }

  #schedule(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const quietMs = Math.min(nowMs + WAIT_MIN_MS, this.#dueMs ?? Number.POSITIVE_INFINITY);
    this.#cancelTimer();
    this.#cancelTimer = this.#deps.clock.setTimer(Math.max(quietMs, this.#earliestMs) - nowMs, () => {
      this.#writing = this.#write().finally(() => {
        this.#writing = null;
        if (this.#take !== null && !this.#closed) this.#schedule();
      });
    });
  }

  async #write(): Promise<void> {
    const take = this.#take;
    if (take === null) return;
    this.#take = null;
    this.#dueMs = null;
    const { clock, log, board } = this.#deps;
    const path = this.#path;
    const beganMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const content = { format: 1, savedAt: isoTime(nowMs), ...take() };
    let restMs: number;
    try {
      await this.#disk.write(path, JSON.stringify(content));
      await this.#disk.touch(path, nowMs);
      if (this.#failed) log.info("Last known table is written again", { path });
      this.#failed = false;
      board?.set("last table", []);
      restMs = (clock.monotonicMs() - beganMs) * REST_FACTOR;
    } catch (error) {
      if (!this.#failed) log.error("Last known table is not kept", { path, error });
      board?.set("last table", [notKept(path, error)]);
      this.#failed = true;
      this.#take ??= take;
      restMs = RETRY_MS;
    }
    this.#earliestMs = clock.monotonicMs() + restMs;
  }
}

function notKept(path: string, error: unknown): ReportedProblem {
  const message = `the last table cannot be kept: ${describeError(error)}; a start without a directory would have an older one`;
  return { subject: path, message, remedy: "see that its folder has room, and is this program's to write" };
}

const fileSystem: TableDisk = {
  read: (path) => readJsonFile(path, { bytesMax: FILE_BYTES_MAX }),
  touchedMs: async (path) => Math.floor((await stat(path)).mtimeMs),
  async write(path, text) {
    await makePrivateFolder(dirname(path));
    await writeFileAtomically(path, text, { mode: 0o600 });
  },
  touch: (path, atMs) => utimes(path, atMs / 1_000, atMs / 1_000),
};
