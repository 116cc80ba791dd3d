import type { Disk } from "../disk/disk.ts";

const NAME = "reserve";
const PIECE = Buffer.alloc(64 * 1_024);

/**
 * Room that is given up when the disk is full: what consumers settle can be written then, and what they are done with be
 * removed. Without it, a full disk would stay full.
 */
export class Reserve {
  readonly #disk: Disk;
  readonly #bytes: number;
  #isThere = false;

  constructor(disk: Disk, bytes: number) {
    this.#disk = disk;
    this.#bytes = bytes;
  }

  /** Takes the room; rejects where there is none. */
  async make(): Promise<void> {
    if (this.#bytes === 0 || this.#isThere) return;
    const file = await this.#disk.create(NAME);
    try {
      for (let done = 0; done < this.#bytes; done += PIECE.length) {
        await file.write(PIECE.subarray(0, Math.min(PIECE.length, this.#bytes - done)), done);
      }
      await file.sync();
      this.#isThere = true;
    } catch (error) {
      await this.#disk.remove(NAME);
      throw error;
    } finally {
      await file.close();
    }
  }

  /** Gives the room up. @returns whether there was any. */
  async give(): Promise<boolean> {
    if (!this.#isThere) return false;
    this.#isThere = false;
    await this.#disk.remove(NAME);
    return true;
  }
}

/** Whether an error says that there is no room, for the system or for the user. */
export const isFull = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
