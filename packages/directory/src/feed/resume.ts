const WARM = new TextEncoder().encode(JSON.stringify({ type: "warm" }));

/** What a subscriber is sent before any delta: where it stands, as a snapshot or in one frame, and that the table is whole. */
export class Resume {
  readonly #source: { readonly warming: boolean };
  #frames: Uint8Array[] = [];
  /** Whether the subscriber still has to be told that the warm-up is over. */
  #owesWarm: boolean;

  /** @param owesWarm whether a subscriber that resumes is told that the warm-up is over, even where that was long ago. */
  constructor(source: { readonly warming: boolean }, { owesWarm }: { readonly owesWarm: boolean }) {
    this.#source = source;
    this.#owesWarm = owesWarm;
  }

  /** Begins with the word that the subscriber has what it needs. */
  from(frame: Uint8Array): void {
    this.#frames = [frame];
  }

  /** Begins, or begins anew, with a snapshot, which says itself whether the directory is warming up. */
  anew(snapshot: readonly Uint8Array[]): void {
    this.#frames = [...snapshot];
    this.#owesWarm = this.#source.warming;
  }

  /** The next frame of it; null when it is through for now. */
  next(): Uint8Array | null {
    const frame = this.#frames.shift();
    if (frame !== undefined) return frame;
    if (!this.#owesWarm || this.#source.warming) return null;
    this.#owesWarm = false;
    return WARM;
  }
}
