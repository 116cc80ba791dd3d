import { SEGMENT_HEADER_BYTES } from "./block.ts";
import type { FoundSegment } from "./recover.ts";

/** How many segments a log may have before old ones are emptied. */
const SEGMENTS_FREE = 4;

interface Segment {
  readonly id: number;
  readonly salt: number;
  /** Where the next block goes. */
  end: number;
  durableEnd: number;
  /** Of the messages that are needed. */
  neededBytes: number;
  needed: number;
  /** Whether its messages were offered to be appended anew. */
  emptied: boolean;
}

interface NextConfig {
  readonly segmentBytes: number;
  readonly random32: () => number;
  /** Whether the disk is full. */
  readonly isShort?: boolean;
}

/** Less is not worth a new segment where room is short. */
const UNNEEDED_MIN = 64 * 1_024;

/** Which segments there are, what of them is needed, and where the next block goes. */
export class Segments {
  readonly #byId = new Map<number, Segment>();
  #newest: Segment | null = null;
  #lastId = 0;
  #bytes = 0;
  #neededBytes = 0;

  get usage(): { readonly bytes: number; readonly neededBytes: number; readonly segments: number } {
    return { bytes: this.#bytes, neededBytes: this.#neededBytes, segments: this.#byId.size };
  }

  has(id: number): boolean {
    return this.#byId.has(id);
  }

  /** Takes over what recovery has found, which has called `retain` for its messages before. */
  restore(found: readonly FoundSegment[]): void {
    this.#bytes = 0;
    for (const { id, salt, end } of found) {
      const { needed, neededBytes } = this.#byId.get(id) ?? { needed: 0, neededBytes: 0 };
      const segment = { id, salt, end, durableEnd: end, needed, neededBytes, emptied: false };
      this.#byId.delete(id); // the order of the map is that of the log
      this.#byId.set(id, segment);
      this.#newest = segment;
      this.#lastId = id;
      this.#bytes += end;
    }
  }

  /**
   * Where the next block goes. A new segment is made where the newest is full; where room is short, also where half of it is
   * needed by nobody, so that it can go.
   */
  next({ segmentBytes, random32, isShort = false }: NextConfig): {
    readonly place: { readonly segment: number; readonly salt: number; readonly position: number };
    readonly isNew: boolean;
  } {
    let newest = this.#newest;
    const unneeded = newest === null ? 0 : newest.end - newest.neededBytes;
    const isNew =
      newest === null ||
      newest.end >= segmentBytes ||
      (isShort && unneeded >= UNNEEDED_MIN && unneeded * 2 >= newest.end);
    if (newest === null || isNew) newest = this.#add({ id: ++this.#lastId, salt: random32() >>> 0 });
    return { place: { segment: newest.id, salt: newest.salt, position: newest.end }, isNew };
  }

  sealed(id: number, end: number): void {
    const segment = this.#byId.get(id);
    if (segment === undefined) return;
    this.#bytes += end - segment.end;
    segment.end = end;
  }

  durable(id: number, end: number): void {
    const segment = this.#byId.get(id);
    if (segment !== undefined) segment.durableEnd = end;
  }

  durableEnd(id: number): number {
    return this.#byId.get(id)?.durableEnd ?? 0;
  }

  retain(id: number, bytes: number): void {
    const segment = this.#byId.get(id) ?? this.#add({ id, salt: 0 });
    segment.needed++;
    segment.neededBytes += bytes;
    this.#neededBytes += bytes;
  }

  release(id: number, bytes: number): void {
    const segment = this.#byId.get(id);
    if (segment === undefined) return;
    segment.needed--;
    segment.neededBytes -= bytes;
    this.#neededBytes -= bytes;
  }

  /** The oldest segments, up to the first one that is needed, without the newest. */
  dead(): readonly number[] {
    const dead: number[] = [];
    for (const segment of this.#byId.values()) {
      if (segment.needed > 0 || segment === this.#newest) break;
      dead.push(segment.id);
    }
    return dead;
  }

  forget(ids: readonly number[]): void {
    for (const id of ids) {
      this.#bytes -= this.#byId.get(id)?.end ?? 0;
      this.#byId.delete(id);
    }
  }

  /**
   * The oldest segment, where most of the log is needed by nobody and its messages are what keeps it; null for none.
   * @param roomBytes where room is short: what its messages may take elsewhere.
   */
  toEmpty(
    segmentBytes: number,
    roomBytes: number | null = null,
  ): { readonly id: number; readonly salt: number } | null {
    const bytesMin = roomBytes === null ? SEGMENTS_FREE * segmentBytes : 0;
    if (this.#bytes < Math.max(bytesMin, 2 * this.#neededBytes)) return null;
    for (const segment of this.#byId.values()) {
      if (segment.emptied || segment === this.#newest) continue;
      if (roomBytes !== null && segment.neededBytes > roomBytes) return null;
      segment.emptied = true;
      return segment;
    }
    return null;
  }

  #add({ id, salt }: { readonly id: number; readonly salt: number }): Segment {
    const end = SEGMENT_HEADER_BYTES;
    const segment = { id, salt, end, durableEnd: 0, needed: 0, neededBytes: 0, emptied: false };
    this.#byId.set(id, segment);
    this.#newest = segment;
    this.#lastId = id;
    this.#bytes += end;
    return segment;
  }
}
