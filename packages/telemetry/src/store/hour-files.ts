import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { faultOf, type TracesFault } from "./faults.ts";
import { endOf, fileName, fileNumber, hourOf, numberOfName } from "./file-names.ts";
import { HourFile } from "./hour-file.ts";
import { namesIn, recordsOf } from "./what-is-there.ts";
import { fullFault, lookForRoom, type Room } from "./room.ts";
import { NewerFiles } from "./newer-files.ts";
import { type TenantRecords, writeBatch } from "./write-batch.ts";

/** The bounds of what is kept. */
export interface StoreBounds {
  readonly sizeBytes: number;
  readonly ageMs: number;
}

interface HourFilesDeps {
  readonly nowMs: () => number;
  /** Told how many spans and events were lost, and why. */
  readonly lost: (reason: "size" | "damaged", count: number) => void;
  /** Told how many were in files that were taken away; fewer than none where some are back. */
  readonly gone: (count: number) => void;
  /** Told of a file that was set aside. */
  readonly setAside: (path: string, error: TracesFault) => void;
  /** Told how many files of a newer version there are, when that has changed. */
  readonly newer: (files: number) => void;
}

/** One hour that is as large as this part of the whole goes on in another file: the oldest of it can go alone. */
const PARTS_OF_SIZE = 8;
/** A row takes about so much more than its text, with all that it is found by. */
const OVERHEAD = 3;

/** What a file takes that holds nothing yet, with its log. */
const EMPTY_BYTES = 384 * 1024;
/** A part is worth being a file of its own from here on. */
const PART_BYTES_MIN = 512 * 1024;

const DAMAGED = ".damaged";

/**
 * The files of the store, one for each hour in which something came. All calls block: they belong into a thread of their
 * own. What is damaged is set aside and costs itself alone.
 */
export class HourFiles {
  readonly #folder: string;
  readonly #deps: HourFilesDeps;
  #bounds: StoreBounds;
  /** The newest first. */
  #files: HourFile[] = [];
  readonly #sizes = new Map<HourFile, number>();
  #room: Room = { free: 0, reserve: 0, bytes: 0 };
  /** How many records were in the files that were closed last; null before any were. */
  #known: number | null = null;
  readonly #newer: NewerFiles;

  constructor(folder: string, bounds: StoreBounds, deps: HourFilesDeps) {
    this.#newer = new NewerFiles(deps.newer);
    this.#folder = folder;
    this.#bounds = bounds;
    this.#deps = deps;
  }

  /** The files that there are, the newest first. */
  get files(): readonly HourFile[] {
    return this.#files;
  }

  /** What all files take of the disk. */
  get bytes(): number {
    return this.#files.reduce((sum, file) => sum + this.#bytesOf(file), this.#newer.bytes);
  }

  /** How many records are in files that were taken away while they are open: nobody finds them once these are closed. */
  get away(): number {
    return this.#isAway ? this.#records : 0;
  }

  /** Whether a damaged file is kept aside. */
  get hasDamaged(): boolean {
    return this.#damaged().length > 0;
  }

  setBounds(bounds: StoreBounds): void {
    this.#bounds = bounds;
  }

  /** Opens what is in the folder, which is made where there is none. @throws TracesFault where it cannot be used. */
  open(): void {
    this.close();
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      chmodSync(this.#folder, 0o700);
    } catch (error) {
      throw faultOf(error, this.#folder);
    }
    const numbers = readdirSync(this.#folder).flatMap((name) => numberOfName(name) ?? []);
    this.#newer.clear();
    for (const number of numbers.toSorted((a, b) => b - a)) this.#openOne(number);
    this.#newer.tell();
    const gone = (this.#known ?? this.#records) - this.#records;
    this.#known = null;
    if (gone !== 0) this.#deps.gone(gone);
  }

  /**
   * Writes records; they are on the disk once it returns.
   * @throws TracesFault where nothing was written.
   */
  write(batch: readonly TenantRecords[], textBytes: number): void {
    // A folder that was taken away, and maybe put back: what is open leads nowhere.
    if (this.#isAway) this.open();
    const bytes = textBytes * OVERHEAD;
    this.#makeRoom(bytes);
    try {
      writeBatch(this.#current(), batch);
    } catch (error) {
      const fault = faultOf(error, this.#folder);
      if (fault.kind !== "damaged" && fault.kind !== "full") throw fault;
      if (fault.kind === "damaged") {
        const [current] = this.#files;
        if (current !== undefined) this.#putAside(current, fault);
      } else if (!this.#removeOldest("size")) throw fault;
      writeBatch(this.#current(), batch);
    }
  }

  /** Removes what is older than the bounds allow. */
  expire(): void {
    const endMs = this.#deps.nowMs() - this.#bounds.ageMs;
    for (const file of this.#files.filter(({ number }) => endOf(number) < endMs)) this.#remove(file);
    this.#newer.expire(endMs);
    this.#newer.tell();
    for (const path of this.#damaged()) {
      const seen = statSync(path, { throwIfNoEntry: false });
      if (seen !== undefined && seen.mtimeMs < endMs) rmSync(path, { force: true });
    }
  }

  /**
   * Does something with a file; one that is damaged is set aside, and gives what `otherwise` says, as does one that is out
   * of reach. @throws what is wrong with this program.
   */
  reading<T>(file: HourFile, read: (file: HourFile) => T, otherwise: T): T {
    if (!file.isOpen) return otherwise;
    try {
      return read(file);
    } catch (error) {
      const fault = faultOf(error, file.path);
      if (fault.kind === "failed") throw error;
      if (fault.kind === "damaged") this.#putAside(file, fault);
      return otherwise;
    }
  }

  close(): void {
    if (this.#files.length > 0) this.#known ??= this.#records;
    for (const file of this.#files) file.close();
    this.#files = [];
    this.#sizes.clear();
  }

  #openOne(number: number): HourFile | null {
    const path = join(this.#folder, fileName(number));
    try {
      const file = new HourFile(path, number);
      this.#files.push(file);
      this.#files.sort((a, b) => b.number - a.number);
      return file;
    } catch (error) {
      const fault = faultOf(error, path);
      if (fault.kind === "newer") {
        this.#newer.add(path, number);
        return null;
      }
      if (fault.kind !== "damaged") throw fault;
      this.#rename(path, fault);
      // How much was in it, nobody can tell.
      this.#deps.lost("damaged", 1);
      return null;
    }
  }

  /** The file for what comes now. */
  #current(): HourFile {
    const number = fileNumber(this.#deps.nowMs());
    const [newest] = this.#files;
    if (newest !== undefined) {
      // A clock that was set back goes on with the newest file.
      const isOfNow = hourOf(newest.number) >= hourOf(number);
      if (isOfNow && newest.bytes < Math.max(PART_BYTES_MIN, this.#room.bytes / PARTS_OF_SIZE)) return newest;
      newest.settle();
      this.#sizes.delete(newest);
    }
    let next = Math.max(number, (newest?.number ?? 0) + 1);
    // A file that was set aside, or is of a newer version, took its number with it; the one after it is free.
    for (;;) {
      const file = this.#openOne(next);
      if (file !== null) return file;
      next += 1;
    }
  }

  get #isAway(): boolean {
    return this.#files.length > 0 && this.#files[0]?.isThere !== true;
  }

  get #records(): number {
    return this.#files.reduce((sum, file) => sum + (recordsOf(file) ?? 0), 0);
  }

  /** Makes room for so much, at the cost of the oldest. @throws TracesFault `full` where even that is not enough. */
  #makeRoom(bytes: number): void {
    this.#room = lookForRoom(this.#folder, this.#bounds.sizeBytes, this.bytes);
    while (this.bytes + bytes > this.#room.bytes) {
      if (this.#removeOldest("size")) continue;
      const [only] = this.#files;
      // The one hour that there is makes room for what comes now, if that is enough.
      if (only === undefined || bytes + EMPTY_BYTES > this.#room.bytes) throw fullFault(this.#folder, this.#room);
      this.#deps.lost(
        "size",
        this.reading(only, ({ records }) => records, 0),
      );
      this.#remove(only);
    }
  }

  /** Removes the oldest file, those that were set aside first, but never the one that is written. */
  #removeOldest(reason: "size"): boolean {
    const [aside] = this.#damaged();
    if (aside !== undefined) {
      rmSync(aside, { force: true });
      return true;
    }
    const oldest = this.#files.length < 2 ? undefined : this.#files.at(-1);
    const { oldest: newer } = this.#newer;
    if (newer !== null && (oldest === undefined || newer < oldest.number)) {
      this.#newer.removeOldest();
      this.#newer.tell();
      // How much was in it, nobody can tell.
      this.#deps.lost(reason, 1);
      return true;
    }
    if (oldest === undefined) return false;
    this.#deps.lost(
      reason,
      this.reading(oldest, ({ records }) => records, 0),
    );
    this.#remove(oldest);
    return true;
  }

  #remove(file: HourFile): void {
    this.#forget(file);
    for (const end of ["", "-wal", "-shm"]) rmSync(`${file.path}${end}`, { force: true });
  }

  #putAside(file: HourFile, fault: TracesFault): void {
    const records = recordsOf(file) ?? 0;
    this.#forget(file);
    this.#rename(file.path, fault);
    this.#deps.lost("damaged", Math.max(1, records));
  }

  #forget(file: HourFile): void {
    file.close();
    this.#files = this.#files.filter((one) => one !== file);
    this.#sizes.delete(file);
  }

  /** One damaged file is kept, for whoever wants to look into it. */
  #rename(path: string, fault: TracesFault): void {
    for (const older of this.#damaged()) rmSync(older, { force: true });
    for (const end of ["-wal", "-shm"]) rmSync(`${path}${end}`, { force: true });
    renameSync(path, `${path}${DAMAGED}`);
    this.#deps.setAside(`${path}${DAMAGED}`, fault);
  }

  #damaged(): string[] {
    const names = namesIn(this.#folder).filter((name) => name.endsWith(DAMAGED));
    return names.toSorted().map((name) => join(this.#folder, name));
  }

  /** Of a file that is written no more, it is looked up once. */
  #bytesOf(file: HourFile): number {
    if (file === this.#files[0]) return file.bytes;
    let bytes = this.#sizes.get(file);
    if (bytes === undefined) this.#sizes.set(file, (bytes = file.bytes));
    return bytes;
  }
}
