import { DIRECTORY_CONFIG, LEASE_MS } from "../environment/settings.ts";

/** What a directory has at one moment, as far as leases are concerned. */
export interface Sight {
  readonly atMs: number;
  readonly instances: ReadonlySet<string>;
  /** The instances whose Watson has no link. */
  readonly lost: ReadonlySet<string>;
}

/** Moments are looked at this far apart, so that what ended a lease ago may have been counted or not. */
const BLUR_MS = 200;

/** Watches the leases of one directory end: never so many at about the same time that the guard had to hold them. */
export class GuardWatch {
  #before: Sight | null = null;
  #ended: { readonly atMs: number; readonly count: number }[] = [];

  /**
   * Takes the next moment.
   * @param takenBack whether an instance went because its Watson or an operator said so.
   * @throws Error where more ended than the guard lets end.
   */
  see(now: Sight, takenBack: (key: string) => boolean): void {
    const before = this.#before;
    this.#before = now;
    if (before === null) return;
    this.#ended = this.#ended.filter(({ atMs }) => atMs > now.atMs - LEASE_MS + BLUR_MS);
    const gone = [...before.instances].filter((key) => !now.instances.has(key) && !takenBack(key));
    if (gone.length === 0) return;
    const earlier = this.#ended.reduce((sum, { count }) => sum + count, 0);
    // Who was lost before and is now, so that one that left or came between the two is not counted.
    const lost = [...before.lost].filter((key) => gone.includes(key) || now.lost.has(key)).length;
    const { share, minimum } = DIRECTORY_CONFIG.guard;
    const [affected, all] = [lost + earlier, before.instances.size + earlier];
    if (affected >= minimum && affected > share * all)
      throw new Error(`${gone.join(", ")} ended with a lease while ${affected} of ${all} instances were out of sight`);
    this.#ended.push({ atMs: now.atMs, count: gone.length });
  }
}
