/** What became of a topic: rows as they are now, of which some fields may be left out, and the keys of those that went. */
export interface Changes {
  readonly changed: readonly unknown[];
  readonly gone: readonly (string | number)[];
}

/** Who is told what the stream says. */
export interface StreamListener {
  whole(topic: string, data: unknown): void;
  changes(topic: string, changes: Changes): void;
  /** It has ended, or begins anew: what is shown may be old. */
  broken(): void;
}

/** Topics are gathered this long, as a screen follows several. */
const GATHER_MS = 20;
const REOPEN_MS = 2_000;

/** The one stream of a page: a browser has six connections to a host, so that a screen has no stream of its own. */
export class Stream {
  readonly #urlOf: (topics: string) => URL;
  readonly #listener: StreamListener;
  #source: EventSource | null = null;
  #topics: readonly string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(urlOf: (topics: string) => URL, listener: StreamListener) {
    this.#urlOf = urlOf;
    this.#listener = listener;
  }

  /** Whether what changes of a topic is told by itself. */
  carries(topic: string): boolean {
    return this.#source?.readyState === EventSource.OPEN && this.#topics.includes(topic);
  }

  /** Follows these topics and no others; none closes the stream. */
  follow(topics: readonly string[]): void {
    const wanted = [...new Set(topics)].toSorted((a, b) => (a < b ? -1 : 1));
    if (wanted.join() === this.#topics.join() && this.#source !== null) return;
    this.#topics = wanted;
    this.#schedule(GATHER_MS);
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    if (this.#topics.length > 0) this.#timer = setTimeout(() => this.#open(), afterMs);
  }

  #open(): void {
    const source = new EventSource(this.#urlOf(this.#topics.join(",")), { withCredentials: true });
    this.#source = source;
    for (const topic of this.#topics) source.addEventListener(topic, (event) => this.#take(topic, event));
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.#schedule(REOPEN_MS);
      this.#listener.broken();
    });
  }

  #take(topic: string, { data }: MessageEvent<string>): void {
    const read = JSON.parse(data) as Partial<Changes>;
    if (Array.isArray(read.changed) && Array.isArray(read.gone)) this.#listener.changes(topic, read as Changes);
    else this.#listener.whole(topic, read);
  }
}
