import { type Connection, whoIs } from "./connection.ts";
import { Entry, type Question } from "./entry.ts";
import { type Chosen, Stream } from "./stream.ts";

/** Answers of screens that were left, which come back at once. */
const KEPT_MAX = 40;
const CHECK_MS = 2_000;
/** Of what the map and the rates of callers are made: two reports of each Sherlock. */
export const RATE_SECONDS = 10;

/** Keeps every question that a screen asks answered, as long as someone looks: a hidden page asks nothing. */
export class Live {
  readonly #connection: Connection;
  readonly #entries = new Map<string, Entry<unknown>>();
  readonly #stream: Stream;
  /** Topics of a stream that did not open. */
  readonly #doubted = new Set<string>();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#stream = new Stream((topics, chosen) => streamUrl(connection, topics, chosen), {
      whole: (topic, data) => this.#tell(topic, (entry) => entry.takeWhole(data)),
      changes: (topic, changes) => this.#tell(topic, (entry) => entry.takeChanges(changes)),
      opened: (topics) => topics.forEach((topic) => this.#doubted.delete(topic)),
      unopened: (topics) => {
        for (const topic of topics) this.#doubted.add(topic);
        this.#follow();
      },
      // Whether the directory is still there an answer says soonest.
      broken: () => this.#each((entry) => entry.refresh()),
    });
    document.addEventListener("visibilitychange", () => {
      this.#follow();
      if (document.hidden) return;
      this.refresh();
      void connection.lookAgain();
    });
    // A stream says nothing when nothing changes, nor when the directory has gone without a word.
    setInterval(() => {
      if (!document.hidden && connection.state.get().phase === "ready") void connection.check();
    }, CHECK_MS);
    let { phase, session } = connection.state.get();
    connection.state.subscribe(() => {
      const before = { phase, session };
      ({ phase, session } = connection.state.get());
      // Another tab may have signed in anew: what one person saw is not shown to the next.
      if (whoIs(session) !== whoIs(before.session) && before.session !== null) {
        this.#entries.clear();
        this.#stream.close();
      }
      if (phase === before.phase) return;
      this.#follow();
      if (phase === "ready") this.refresh();
    });
  }

  /** The entry of a question, which stays the same for the same key. */
  entry<T>(question: Question<T>): Entry<T> {
    const known = this.#entries.get(question.key);
    if (known !== undefined) return known as Entry<T>;
    const entry = new Entry(question, {
      connection: this.#connection,
      isTold: (topic) => this.#stream.carries(topic),
      onFollow: () => this.#follow(),
    });
    this.#entries.set(question.key, entry);
    for (const [key, old] of this.#entries) {
      if (this.#entries.size <= KEPT_MAX) break;
      if (old.isIdle && key !== question.key) this.#entries.delete(key);
    }
    return entry;
  }

  /** Sees to it that all that is looked at is of now. */
  refresh(): void {
    this.#each((entry) => entry.catchUp());
  }

  #each(act: (entry: Entry<unknown>) => void): void {
    for (const entry of this.#entries.values()) act(entry);
  }

  #tell(topic: string, tell: (entry: Entry<unknown>) => void): void {
    this.#connection.seen();
    for (const entry of this.#entries.values()) if (entry.topic === topic && !entry.isIdle) tell(entry);
  }

  #follow(): void {
    const isAway = document.hidden || this.#connection.state.get().phase !== "ready";
    const watched = isAway ? [] : [...this.#entries.values()].filter((entry) => this.#isFollowed(entry));
    const topics = watched.flatMap(({ topic }) => topic ?? []);
    this.#stream.follow(topics, Object.assign({}, ...watched.map(({ chosen }) => chosen)) as Chosen);
  }

  /** One topic that is refused would keep all others from being told. */
  #isFollowed({ isIdle, isRefused, topic }: Entry<unknown>): boolean {
    return !isIdle && !(isRefused && topic !== null && this.#doubted.has(topic));
  }
}

function streamUrl(connection: Connection, topics: string, chosen: Chosen): URL {
  const url = connection.urlOf("/v1/stream");
  for (const [name, value] of Object.entries(chosen)) url.searchParams.set(name, value);
  url.searchParams.set("topics", topics);
  url.searchParams.set("instances", "none");
  url.searchParams.set("seconds", String(RATE_SECONDS));
  return url;
}
