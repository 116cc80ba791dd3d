/** What became of a topic: rows as they are now, of which some fields may be left out, and the keys of those that went. */
export interface Changes {
  readonly changed: readonly unknown[];
  readonly gone: readonly (string | number)[];
}

/** Parameters that choose among the rows of topics. */
export type Chosen = Readonly<Record<string, string>>;

/** Who is told what the stream says. */
export interface StreamListener {
  whole(topic: string, data: unknown): void;
  changes(topic: string, changes: Changes): void;
  /** It tells of these. */
  opened(topics: readonly string[]): void;
  /** It was not opened: the directory is away, or refuses one of these. */
  unopened(topics: readonly string[]): void;
  /** It has ended, or begins anew: what is shown may be old. */
  broken(): void;
}

/** Topics are gathered this long, as a screen follows several. */
const GATHER_MS = 20;
const REOPEN_MS = 2_000;

/** The one stream of a page: a browser has six connections to a host, so that a screen has no stream of its own. */
export class Stream {
  readonly #urlOf: (topics: string, chosen: Chosen) => URL;
  readonly #listener: StreamListener;
  #source: EventSource | null = null;
  #topics: readonly string[] = [];
  #chosen: Chosen = {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(urlOf: (topics: string, chosen: Chosen) => URL, listener: StreamListener) {
    this.#urlOf = urlOf;
    this.#listener = listener;
  }

  /** Whether what changes of a topic is told by itself. */
  carries(topic: string): boolean {
    return this.#source?.readyState === EventSource.OPEN && this.#topics.includes(topic);
  }

  /** Follows these topics and no others, chosen from by these parameters; none closes the stream. */
  follow(topics: readonly string[], chosen: Chosen = {}): void {
    const wanted = [...new Set(topics)].toSorted((a, b) => (a < b ? -1 : 1));
    const isSame = wanted.join() === this.#topics.join() && JSON.stringify(chosen) === JSON.stringify(this.#chosen);
    // What is asked for already is not begun anew, also while it waits to be opened.
    if (isSame && (this.#source !== null || wanted.length === 0 || this.#timer !== undefined)) return;
    this.#topics = wanted;
    this.#chosen = chosen;
    this.#schedule(GATHER_MS);
  }

  /** Follows nothing until it is told anew. */
  close(): void {
    this.#topics = [];
    this.#schedule(0);
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source?.close();
    this.#source = null;
    if (this.#topics.length > 0) this.#timer = setTimeout(() => this.#open(), afterMs);
  }

  #open(): void {
    this.#timer = undefined;
    const source = new EventSource(this.#urlOf(this.#topics.join(","), this.#chosen), { withCredentials: true });
    this.#source = source;
    for (const topic of this.#topics) source.addEventListener(topic, (event) => this.#take(topic, event));
    const topics = this.#topics;
    let isOpened = false;
    source.addEventListener("open", () => {
      isOpened = true;
      this.#listener.opened(topics);
    });
    source.addEventListener("error", () => {
      if (this.#source !== source) return;
      this.#schedule(REOPEN_MS);
      if (!isOpened) this.#listener.unopened(topics);
      this.#listener.broken();
    });
  }

  #take(topic: string, { data }: MessageEvent<string>): void {
    const read = JSON.parse(data) as Partial<Changes>;
    if (Array.isArray(read.changed) && Array.isArray(read.gone)) this.#listener.changes(topic, read as Changes);
    else this.#listener.whole(topic, read);
  }
}
