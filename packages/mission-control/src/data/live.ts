import type { ApiClient } from "@datawire/api";
import type { Connection } from "./connection.ts";
import { messageOf, Unreachable } from "./refusal.ts";
import { Store } from "./store.ts";

/** What a screen wants to know, and go on knowing. */
export interface Question<T> {
  /** Tells it from all others: two with one key have one answer. */
  readonly key: string;
  /** How long after an answer it is asked again; null for what is asked once. */
  readonly everyMs: number | null;
  ask(client: ApiClient): Promise<T>;
}

/** What is known of a question. */
export interface Reply<T> {
  /** The last answer, however old; null before the first. */
  readonly data: T | null;
  /** When it came. */
  readonly at: number | null;
  /** Why there is no newer one; null while all is well. */
  readonly error: string | null;
}

const EMPTY: Reply<never> = { data: null, at: null, error: null };
/** Answers of screens that were left, which come back at once. */
const KEPT_MAX = 40;

/** Keeps every question that a screen asks answered, as long as someone looks: a hidden page asks nothing. */
export class Live {
  readonly #connection: Connection;
  readonly #entries = new Map<string, Entry<unknown>>();

  constructor(connection: Connection) {
    this.#connection = connection;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.refresh();
    });
    let { phase } = connection.state.get();
    connection.state.subscribe(() => {
      const before = phase;
      ({ phase } = connection.state.get());
      if (phase === "ready" && before !== "ready") this.refresh();
      // What one person saw is not shown to the next.
      if (phase === "signed-out") this.#entries.clear();
    });
  }

  /** The entry of a question, which stays the same for the same key. */
  entry<T>(question: Question<T>): Entry<T> {
    const known = this.#entries.get(question.key);
    if (known !== undefined) return known as Entry<T>;
    const entry = new Entry(question, this.#connection);
    this.#entries.set(question.key, entry);
    for (const [key, old] of this.#entries) {
      if (this.#entries.size <= KEPT_MAX) break;
      if (old.isIdle && key !== question.key) this.#entries.delete(key);
    }
    return entry;
  }

  /** Asks all that is looked at anew, at once. */
  refresh(): void {
    for (const entry of this.#entries.values()) entry.refresh();
  }
}

/** One question with its reply. */
export class Entry<T> {
  readonly #store = new Store<Reply<T>>(EMPTY);
  readonly #question: Question<T>;
  readonly #connection: Connection;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How often it was asked to be asked: an answer to an older round leaves the next one due. */
  #round = 0;
  #isAsking = false;

  constructor(question: Question<T>, connection: Connection) {
    this.#question = question;
    this.#connection = connection;
  }

  /** Whether nobody looks at it. */
  get isIdle(): boolean {
    return this.#store.followers === 0;
  }

  readonly get = (): Reply<T> => this.#store.get();

  readonly subscribe = (listener: () => void): (() => void) => {
    const isFirst = this.isIdle;
    const leave = this.#store.subscribe(listener);
    if (isFirst) this.refresh();
    return () => {
      leave();
      if (this.isIdle) clearTimeout(this.#timer);
    };
  };

  /** Asks now, where someone looks. */
  readonly refresh = (): void => {
    this.#round++;
    clearTimeout(this.#timer);
    if (this.isIdle || document.hidden || this.#isAsking || this.#connection.state.get().phase === "signed-out") return;
    void this.#ask();
  };

  async #ask(): Promise<void> {
    const round = this.#round;
    this.#isAsking = true;
    try {
      const data = await this.#question.ask(this.#connection.client);
      this.#store.set({ data, at: Date.now(), error: null });
    } catch (error) {
      // Away is said once, above all screens; here the last answer stays.
      if (!(error instanceof Unreachable)) this.#store.set({ ...this.get(), error: messageOf(error) });
    } finally {
      this.#isAsking = false;
    }
    if (this.isIdle) return;
    if (round !== this.#round) this.refresh();
    else if (this.#question.everyMs !== null) this.#timer = setTimeout(this.refresh, this.#question.everyMs);
  }
}
