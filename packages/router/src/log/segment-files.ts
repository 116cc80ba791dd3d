import type { Disk, DiskFile } from "../disk/disk.ts";

/** How many segments are kept open. */
const OPEN_MAX = 64;

/** The name of the file of a segment. */
export const segmentName = (id: number): string => `${String(id).padStart(10, "0")}.log`;

/** The segment that a file is; null for any other file. */
export function segmentOfName(name: string): number | null {
  const digits = /^(\d{10})\.log$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The files of the segments, opened when they are needed, the last used ones kept open. */
export class SegmentFiles {
  readonly #disk: Disk;
  readonly #open = new Map<number, Promise<DiskFile>>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async get(id: number): Promise<DiskFile> {
    const known = this.#open.get(id);
    const file = known ?? this.#disk.open(segmentName(id));
    this.#keep(id, file);
    try {
      return await file;
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  async create(id: number): Promise<DiskFile> {
    await this.#close(id);
    const file = await this.#disk.create(segmentName(id));
    this.#keep(id, Promise.resolve(file));
    return file;
  }

  async remove(id: number): Promise<void> {
    await this.#close(id);
    await this.#disk.remove(segmentName(id));
  }

  async closeAll(): Promise<void> {
    for (const id of this.#open.keys()) await this.#close(id);
  }

  #keep(id: number, file: Promise<DiskFile>): void {
    this.#open.delete(id);
    this.#open.set(id, file);
    if (this.#open.size <= OPEN_MAX) return;
    const [oldest] = this.#open.keys();
    if (oldest !== undefined) this.#close(oldest).catch(() => {});
  }

  async #close(id: number): Promise<void> {
    const file = this.#open.get(id);
    if (file === undefined) return;
    this.#open.delete(id);
    await (await file).close();
  }
}
