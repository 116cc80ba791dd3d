/** What originals were told of a node last. */
interface Announcement {
  readonly key: string;
  readonly frame: string;
}

/** What has ended, and since when. */
interface Ended extends Announcement {
  readonly atMs: number;
}

/** Whoever tells one original what is new. */
export interface Listener {
  told(key: string, frame: string): void;
}

/** What ended is remembered for so long: an original that was away meanwhile forgets a node only when it is told to. */
export const ENDED_MS = 3_600_000;
/** How much of what ended is remembered. */
export const ENDED_MAX = 10_000;

/**
 * What there is to tell originals: the frame of each node that they may use, made once for all of them, and of each that
 * has ended of late. Both are walked by iterators that live: what is added while an original is being told is told too.
 */
export class Announcements {
  readonly #active = new Map<string, Announcement>();
  readonly #ended = new Map<string, Ended>();
  readonly #listeners = new Set<Listener>();

  /** How many nodes there are. */
  get size(): number {
    return this.#active.size;
  }

  has(key: string): boolean {
    return this.#active.has(key);
  }

  /** The node is there, as the frame says; telling it again is no news. */
  put(key: string, frame: string): void {
    if (this.#active.get(key)?.frame === frame) return;
    this.#active.delete(key);
    this.#active.set(key, { key, frame });
    this.#ended.delete(key);
    this.#tell(key, frame);
  }

  /** The node is no more: `frame` says so. */
  end(key: string, frame: string, nowMs: number): void {
    if (!this.#active.delete(key)) return;
    this.remember(key, frame, nowMs);
    this.#tell(key, frame);
  }

  /** The node was no more before anybody was told of it: who comes is told, as it may know it from elsewhere. */
  remember(key: string, frame: string, atMs: number): void {
    if (this.#active.has(key)) return;
    this.#ended.delete(key);
    this.#ended.set(key, { key, frame, atMs });
    for (const [oldest, ended] of this.#ended) {
      if (this.#ended.size <= ENDED_MAX && ended.atMs > atMs - ENDED_MS) break;
      this.#ended.delete(oldest);
    }
  }

  /** Everything for an original that may know anything: what is there, then what has ended. */
  *whole(nowMs: () => number): Generator<string> {
    for (const { frame } of this.#active.values()) yield frame;
    for (const { frame, atMs } of this.#ended.values()) if (atMs > nowMs() - ENDED_MS) yield frame;
  }

  /** Tells a listener what is new from now on; the function returned ends that. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(key: string, frame: string): void {
    for (const listener of this.#listeners) listener.told(key, frame);
  }
}
