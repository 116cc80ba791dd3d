import type { Link } from "../link/link.ts";
import type { Receiver } from "../link/receiver.ts";
import type { Sender } from "../link/sender.ts";
import { CONDITION, WireFailure } from "../types/conditions.ts";

/** The links of a session by their handles: each side has its own for the same link. */
export class LinkTable {
  readonly #handleMax: number;
  readonly #ours: (Sender | Receiver | undefined)[] = [];
  readonly #theirs: (Sender | Receiver | undefined)[] = [];

  /** `handleMax` is the highest that the peer may use. */
  constructor(handleMax: number) {
    this.#handleMax = handleMax;
  }

  /** All links whose handles are in use. */
  get all(): readonly (Sender | Receiver)[] {
    return this.#ours.filter((link) => link !== undefined);
  }

  /** The lowest handle of ours that is free; throws `WireFailure` where that is above what the peer takes. */
  freeHandle(theirMax: number): number {
    const free = this.#ours.indexOf(undefined);
    const handle = free < 0 ? this.#ours.length : free;
    if (handle > theirMax) {
      throw new WireFailure(
        CONDITION.resourceLimitExceeded,
        `Cannot attach: the peer takes no handle above ${theirMax}`,
      );
    }
    return handle;
  }

  add(link: Sender | Receiver): void {
    this.#ours[link.handle] = link;
  }

  /** Requires that the peer may attach with a handle. Throws `WireFailure`. */
  requireFree(handle: number): void {
    if (handle > this.#handleMax) {
      throw new WireFailure(CONDITION.framingError, `Cannot use handle ${handle}: the highest is ${this.#handleMax}`);
    }
    if (this.#theirs[handle] !== undefined) {
      throw new WireFailure(CONDITION.handleInUse, `Cannot attach handle ${handle}: it is in use`);
    }
  }

  /** Remembers the peer's handle of a link. */
  bind(handle: number, link: Sender | Receiver): void {
    this.#theirs[handle] = link;
  }

  /** The link that the peer's handle stands for. Throws `WireFailure` where there is none. */
  at(handle: number): Sender | Receiver {
    const link = handle <= this.#handleMax ? this.#theirs[handle] : undefined;
    if (link === undefined) {
      throw new WireFailure(CONDITION.unattachedHandle, `Cannot use handle ${handle}: nothing is attached to it`);
    }
    return link;
  }

  /** The link that we asked for by this name and that the peer has not answered. */
  unanswered(name: string, isReceiver: boolean): Sender | Receiver | undefined {
    return this.#ours.find((link) => link?.name === name && link.isReceiver === isReceiver && link.remote === null);
  }

  /** Frees the peer's handle. */
  unbind(handle: number): void {
    this.#theirs[handle] = undefined;
  }

  /** Frees our handle. */
  delete(link: Link): void {
    if (this.#ours[link.handle] === link) this.#ours[link.handle] = undefined;
  }

  clear(): void {
    this.#ours.length = 0;
    this.#theirs.length = 0;
  }
}
