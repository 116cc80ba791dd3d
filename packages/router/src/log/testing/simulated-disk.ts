import type { Disk, DiskFile } from "../../disk/disk.ts";

/** What decides what happens; `Chance` of the protocol's testing folder is one. */
export interface Luck {
  int(below: number): number;
  once(inTimes: number): boolean;
}

interface Change {
  readonly position: number;
  /** Null for a file that is cut here. */
  readonly bytes: Uint8Array | null;
}

interface SimulatedFile {
  /** What a loss of power leaves for sure. */
  durable: Buffer;
  /** What was written since the last sync. */
  changes: Change[];
}

const SECTOR = 512;

/** A disk that keeps what was synced, and of the rest what luck leaves: nothing, all, some sectors. */
export class SimulatedDisk {
  readonly #luck: Luck;
  /** The names as programs see them, and as they are on the disk for sure. */
  #names = new Map<string, SimulatedFile>();
  #durableNames = new Map<string, SimulatedFile>();
  #generation = 0;
  /** How many bytes it takes; writes beyond fail with ENOSPC. */
  capacity = Number.POSITIVE_INFINITY;
  /** One operation in so many fails with EIO; 0 for none. */
  failsOnceIn = 0;
  syncs = 0;
  /** What each operation waits for first; null for nothing. */
  delay: (() => Promise<void>) | null = null;

  constructor(luck: Luck) {
    this.#luck = luck;
  }

  /** Loses power: what was booted from it does nothing any more, and the next boot sees what was left. */
  crash(): void {
    this.#generation++;
    const names = new Map<string, SimulatedFile>();
    for (const name of new Set([...this.#names.keys(), ...this.#durableNames.keys()])) {
      const [now, safe] = [this.#names.get(name), this.#durableNames.get(name)];
      const file = now === safe || this.#luck.once(2) ? now : safe;
      if (file !== undefined) names.set(name, file);
    }
    for (const file of new Set(names.values())) this.#settle(file);
    this.#names = names;
    this.#durableNames = new Map(names);
  }

  /** Ends what was booted from it, as kill -9 does: the system has all that was written. */
  kill(): void {
    this.#generation++;
  }

  /** How many bytes there are in all files. */
  get usedBytes(): number {
    return this.#used();
  }

  /** Flips bits in the middle of a file, as an old disk does. */
  damage(name: string, position: number, length: number): void {
    const file = this.#names.get(name);
    if (file === undefined) return;
    for (let i = position; i < Math.min(position + length, file.durable.length); i++)
      file.durable[i] = (file.durable[i] ?? 0) ^ 0xff;
  }

  /** The disk as a machine that starts now sees it, until it loses power. */
  boot(): Disk {
    const generation = this.#generation;
    const pass = async (): Promise<void> => {
      await (this.delay?.() ?? Promise.resolve());
      // A process that lost its power does nothing more.
      if (generation !== this.#generation) await new Promise<never>(() => {});
      if (this.failsOnceIn > 0 && this.#luck.once(this.failsOnceIn)) throw systemError("EIO");
    };
    return {
      list: async () => [...this.#names.keys()],
      create: async (name) => {
        await pass();
        const file: SimulatedFile = { durable: Buffer.alloc(0), changes: [] };
        this.#names.set(name, file);
        return this.#handle(file, pass);
      },
      open: async (name) => {
        await pass();
        const file = this.#names.get(name);
        if (file === undefined) throw systemError("ENOENT");
        return this.#handle(file, pass);
      },
      remove: async (name) => {
        await pass();
        this.#names.delete(name);
      },
      syncFolder: async () => {
        await pass();
        this.#durableNames = new Map(this.#names);
      },
    };
  }

  #handle(file: SimulatedFile, pass: () => Promise<void>): DiskFile {
    return {
      size: async () => contentOf(file).length,
      write: async (bytes, position) => {
        await pass();
        const fits = this.#fits(file, position, bytes.length);
        if (fits > 0) file.changes.push({ position, bytes: Uint8Array.from(bytes.subarray(0, fits)) });
        if (fits < bytes.length) throw systemError("ENOSPC");
      },
      sync: async () => {
        try {
          await pass();
        } catch (error) {
          // What a failed sync leaves is anybody's guess, and the next one does not try it again.
          file.changes = file.changes.filter(() => this.#luck.once(2));
          throw error;
        }
        this.syncs++;
        file.durable = contentOf(file);
        file.changes = [];
      },
      read: async (position, length) => {
        await pass();
        return Uint8Array.from(contentOf(file).subarray(position, position + length));
      },
      truncate: async (length) => {
        await pass();
        file.changes.push({ position: length, bytes: null });
      },
      close: async () => {},
    };
  }

  /** How many of so many bytes there is room for. */
  #fits(file: SimulatedFile, position: number, length: number): number {
    if (this.capacity === Number.POSITIVE_INFINITY) return length;
    const room = this.capacity - this.#used();
    const grows = Math.max(0, position + length - contentOf(file).length);
    return grows <= room ? length : Math.max(0, length - (grows - room));
  }

  #used(): number {
    let used = 0;
    for (const file of this.#names.values()) used += contentOf(file).length;
    return used;
  }

  /** Of what was not synced, sectors come through in any selection. */
  #settle(file: SimulatedFile): void {
    const kept: Change[] = [];
    const mood = this.#luck.int(3);
    for (const { position, bytes } of file.changes) {
      if (bytes === null) {
        if (mood > 0) kept.push({ position, bytes });
        continue;
      }
      for (let at = 0; at < bytes.length; at += SECTOR) {
        if (mood === 2 || (mood === 1 && this.#luck.once(2)))
          kept.push({ position: position + at, bytes: bytes.subarray(at, at + SECTOR) });
      }
    }
    file.changes = kept;
    file.durable = contentOf(file);
    file.changes = [];
  }
}

function contentOf({ durable, changes }: SimulatedFile): Buffer {
  if (changes.length === 0) return durable;
  // One copy for all changes: a router writes many times between two syncs.
  const ends = changes.map(({ position, bytes }) => (bytes === null ? 0 : position + bytes.length));
  const content = Buffer.alloc(Math.max(durable.length, ...ends));
  durable.copy(content);
  let { length } = durable;
  for (const [i, { position, bytes }] of changes.entries()) {
    if (bytes !== null) {
      content.set(bytes, position);
      length = Math.max(length, ends[i] ?? 0);
    } else if (position < length) {
      content.fill(0, position, length);
      length = position;
    }
  }
  return content.subarray(0, length);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
