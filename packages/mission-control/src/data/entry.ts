import type { ApiClient } from "@datawire/api";
import type { Connection } from "./connection.ts";
import { messageOf, Refusal, Unchanged, Unreachable } from "./refusal.ts";
import { Store } from "./store.ts";
import type { Changes, Chosen } from "./stream.ts";

/** What a screen wants to know, and go on knowing. */
export interface Question<T> {
  /** Tells it from all others: two with one key have one answer. */
  readonly key: string;
  /** How long after an answer it is asked again; null for what is asked once. */
  readonly everyMs: number | null;
  /** Whether an answer that has not changed is not sent again, and how long that may go on until it is asked no more. */
  readonly quiet?: { untilMs(data: T, nowMs: number): number };
  ask(client: ApiClient): Promise<T>;
  /** The topic of the stream that tells what changes of it; left out for what is asked again and again. */
  readonly topic?: string;
  /** What chooses among the rows of its topic; one screen has one such question at a time. */
  readonly chosen?: Chosen;
  /** The answer after changes that the stream told; left out, or undefined, where they are a reason to ask again. */
  merge?(data: T, changes: Changes): T | undefined;
  /** The answer, of what the topic begins with; left out where that is a reason to ask. */
  wholeOf?(whole: unknown): T;
  /** Whether it is left to the stream to tell it whole: of what is large, once is enough. */
  readonly isToldWhole?: boolean;
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
/** How long a stream may take to open, and then to tell something whole, until that is asked for: proxies hold streams back. */
const OPENS_MS = 3_000;
const WHOLE_MS = 10_000;
/** How long what was refused, as it is not there or not for this person, is left alone: it may be there later. */
const REFUSED_MS = 5_000;

interface EntryDeps {
  readonly connection: Connection;
  /** Whether the stream tells what changes of a topic. */
  isTold(topic: string): boolean;
  /** What is to be followed may be something else: someone begins to look, nobody looks any more, or it is refused. */
  onFollow(): void;
}

/** One question with its reply. */
export class Entry<T> {
  readonly #store = new Store<Reply<T>>(EMPTY);
  readonly #question: Question<T>;
  readonly #deps: EntryDeps;
  readonly #client: ApiClient;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When an answer came that was another one. */
  #changedAt = 0;
  /** How often it was asked to be asked: an answer to an older round leaves the next one due. */
  #round = 0;
  #isAsking = false;
  #isRefused = false;
  /** How often the stream has told: what was asked before that is older. */
  #tellings = 0;

  constructor(question: Question<T>, deps: EntryDeps) {
    this.#question = question;
    this.#deps = deps;
    const { connection } = deps;
    this.#client = question.quiet === undefined ? connection.client : connection.rememberingClient();
  }

  /** The topic of the stream that tells what changes of it. */
  get topic(): string | null {
    return this.#question.topic ?? null;
  }

  /** What chooses among the rows of its topic. */
  get chosen(): Chosen {
    return this.#question.chosen ?? {};
  }

  /** Whether the directory has last refused it: it is not there, or not for who is signed in. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Takes what the stream tells of the whole. */
  takeWhole(data: unknown): void {
    const { wholeOf } = this.#question;
    if (wholeOf === undefined) this.refresh();
    else this.#told(wholeOf(data));
  }

  /** Takes what the stream tells of changes. */
  takeChanges(changes: Changes): void {
    const { data } = this.get();
    const merged = data === null ? undefined : this.#question.merge?.(data, changes);
    if (merged === undefined) this.refresh();
    else this.#told(merged);
  }

  #told(data: T): void {
    this.#tellings++;
    this.#setRefused(false);
    this.#store.set({ data, at: Date.now(), error: null });
    // Nothing but the time would otherwise say that the stream tells no more.
    if (this.#isLeftToStream && !this.#isAsking) this.#askIn(this.#question.everyMs);
  }

  get #isLeftToStream(): boolean {
    return this.#question.isToldWhole === true;
  }

  #askIn(afterMs: number | null): void {
    clearTimeout(this.#timer);
    if (afterMs !== null && !this.isIdle) this.#timer = setTimeout(this.#askAgain, afterMs);
  }

  /** Whether nobody looks at it. */
  get isIdle(): boolean {
    return this.#store.followers === 0;
  }

  readonly get = (): Reply<T> => this.#store.get();

  readonly subscribe = (listener: () => void): (() => void) => {
    const isFirst = this.isIdle;
    const leave = this.#store.subscribe(listener);
    if (isFirst) {
      this.catchUp();
      this.#deps.onFollow();
    }
    return () => {
      leave();
      if (!this.isIdle) return;
      clearTimeout(this.#timer);
      this.#deps.onFollow();
    };
  };

  /** Sees to it that what is known is of now: by asking, or by the stream where that tells all of it soon. */
  catchUp(): void {
    if (!this.#isLeftToStream || this.get().error !== null) return this.refresh();
    if (this.isIdle || (this.#isTold && this.get().data !== null)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isTold) this.#timer = setTimeout(this.refresh, WHOLE_MS);
      else this.refresh();
    }, OPENS_MS);
  }

  get #isTold(): boolean {
    const { topic } = this.#question;
    return topic !== undefined && this.#deps.isTold(topic);
  }

  /** Asks now, where someone looks. */
  readonly refresh = (): void => {
    this.#round++;
    clearTimeout(this.#timer);
    if (this.isIdle || document.hidden || this.#isAsking || this.#deps.connection.state.get().phase === "signed-out")
      return;
    void this.#ask();
  };

  readonly #askAgain = (): void => {
    if (this.#isTold) this.#askIn(this.#question.everyMs);
    else this.refresh();
  };

  async #ask(): Promise<void> {
    const [round, tellings] = [this.#round, this.#tellings];
    this.#isAsking = true;
    try {
      const data = await this.#question.ask(this.#client);
      this.#setRefused(false);
      this.#changedAt = Date.now();
      if (tellings === this.#tellings) this.#store.set({ data, at: Date.now(), error: null });
    } catch (error) {
      const known = this.get();
      this.#setRefused(error instanceof Refusal && error.isOfRequest);
      // What is as it was is drawn anew only where that was in doubt.
      if (error instanceof Unchanged) {
        if (known.error !== null) this.#store.set({ ...known, at: Date.now(), error: null });
      }
      // Away is said once, above all screens; here the last answer stays.
      else if (!(error instanceof Unreachable)) this.#store.set({ ...known, error: messageOf(error) });
    } finally {
      this.#isAsking = false;
    }
    if (this.isIdle) return;
    if (round !== this.#round) this.refresh();
    else if (!this.#isQuiet) this.#askIn(this.#pauseMs);
  }

  /** How long after an answer it is asked again by itself. */
  get #pauseMs(): number | null {
    const { everyMs } = this.#question;
    return this.#isRefused && everyMs !== null ? Math.max(everyMs, REFUSED_MS) : everyMs;
  }

  #setRefused(isRefused: boolean): void {
    if (isRefused === this.#isRefused) return;
    this.#isRefused = isRefused;
    this.#deps.onFollow();
  }

  /** Whether it is not worth asking again by itself. */
  get #isQuiet(): boolean {
    const { quiet } = this.#question;
    const { data, error } = this.get();
    if (quiet === undefined || data === null || error !== null) return false;
    const nowMs = Date.now();
    return nowMs >= this.#changedAt + quiet.untilMs(data, nowMs);
  }
}
