/**
 * Has a connection look at what is due by time. What is due moves with each message, as a rule to later: then the alarm goes
 * off early, finds nothing due and is set anew, which costs less than to set it with each message.
 */
export class Alarm {
  readonly #look: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #atMs = Infinity;

  /** @param look called when something may be due; sets the alarm again. */
  constructor(look: () => void) {
    this.#look = look;
  }

  /** @param atMs when something is due next, by `performance.now()`; null: not before something else happens. */
  set(atMs: number | null): void {
    if (atMs === null || atMs >= this.#atMs) return;
    this.clear();
    this.#atMs = atMs;
    const ring = (): void => {
      this.#atMs = Infinity;
      this.#look();
    };
    this.#timer = setTimeout(ring, Math.max(1, atMs - performance.now()));
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = Infinity;
  }
}
