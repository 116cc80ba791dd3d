import type { ServerResponse } from "node:http";
import { ProtocolError } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { Permit } from "../access/gate.ts";
import type { Publisher, Subscriber } from "../feed/publisher.ts";
import { gzipBody, plainBody } from "./body.ts";
import { eventOf, parseEventId, type SharedBytes } from "./event.ts";
import { Reader } from "./reader.ts";
import type { AskedTopic, Changes, Topic } from "./topic.ts";

/** The most that follow one table at once. */
export const STREAMS_MAX = 256;
/** How often all that is followed is looked at, whether or not the table has changed. */
const TICK_MS = 350;
/** How close to each other looks may be, and which share of the time they may take. */
const PAUSE_MS = 100;
const PAUSE_FACTOR = 10;
/** After how long a topic that was refused is asked for again. */
const REFUSED_MS = 1_000;
/** After how long without an event a stream says that it lives. */
const BEAT_MS = 15_000;

/** Makes a topic, from a revision that whoever asks for it has; from the one that is now where none is given. */
export type MakeTopic = (from?: number) => Topic;

/** What somebody follows. */
export interface Order {
  /** By name; those of one name are the same, and what follows a blank in it is not sent. In the order in which they are sent. */
  readonly topics: ReadonlyMap<string, MakeTopic>;
  /** Those that each has to ask for alone. */
  readonly asked: ReadonlyMap<string, AskedTopic>;
  /** What it has, `EPOCH.REVISION`; null for nothing. */
  readonly lastEventId: string | null;
  /** Whether it is sent packed with gzip. */
  readonly isPacked: boolean;
  /** Topics of which what changed since then can be told. */
  readonly resumable: ReadonlySet<string>;
}

interface Followed {
  readonly topic: Topic;
  readonly readers: Set<Reader>;
  /** The event that tells it whole, while that holds. */
  whole: SharedBytes | null;
  lookedMs: number;
}

interface StreamsDeps {
  readonly clock: Clock;
  readonly publisher: Pick<Publisher, "log" | "flush" | "subscribe">;
  /** Told of what could not be looked at. */
  readonly failed: (error: unknown) => void;
}

interface Open {
  readonly reader: Reader;
  readonly permit: Permit;
  readonly topics: ReadonlySet<string>;
  /** Topics that it has to ask for, of which it had no room for a change. */
  readonly missedAsked: Set<string>;
  beatMs: number;
}

/** Those who follow what happens to one table, and what they follow: each topic is looked at and written once for all. */
export class Streams implements Subscriber {
  readonly #deps: StreamsDeps;
  readonly #followed = new Map<string, Followed>();
  readonly #open = new Set<Open>();
  #cancel: (() => void) | null = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #notBeforeMs = 0;
  #unsubscribe: (() => void) | null = null;
  #closed = false;

  constructor(deps: StreamsDeps) {
    this.#deps = deps;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Makes sure that another one may follow.
   * @throws ProtocolError `limit_exceeded`, or `unavailable` where the directory is about to end
   */
  requireRoom(): void {
    if (this.#closed) throw new ProtocolError("unavailable", "Cannot open a stream: the directory is ending");
    if (this.#open.size < STREAMS_MAX) return;
    throw new ProtocolError("limit_exceeded", `Cannot open a stream: ${STREAMS_MAX} are open, which is the bound`);
  }

  /** Sends what is ordered, whole and then as it changes, until the connection ends, the permit does, or all does. */
  follow(res: ServerResponse, permit: Permit, { topics, asked, lastEventId, isPacked, resumable }: Order): void {
    this.requireRoom();
    const missedAsked = new Set<string>();
    const reader = new Reader(res, isPacked ? gzipBody() : plainBody(), (missed) => {
      this.#resend(
        reader,
        [...topics.keys()].filter((name) => missed.has(name)),
      );
      for (const name of missed) if (asked.has(name)) missedAsked.add(name);
    });
    const open: Open = { reader, permit, topics: new Set(topics.keys()), missedAsked, beatMs: this.#nowMs() };
    this.#open.add(open);
    res.on("close", () => this.#leave(open));
    this.#deps.publisher.flush();
    // Who is there already is told first, so that all have the same from here on.
    this.#look();
    const have = lastEventId === null ? null : parseEventId(lastEventId);
    const resumes = have !== null && this.#deps.publisher.log.covers(have);
    for (const [name, make] of topics) {
      const followed = this.#followed.get(name) ?? {
        topic: make(),
        readers: new Set(),
        whole: null,
        lookedMs: this.#nowMs(),
      };
      this.#followed.set(name, followed);
      followed.readers.add(reader);
      if (resumes && resumable.has(name)) {
        const missed = make(have.revision).changes() ?? NOTHING;
        reader.whole(name, eventOf(name, this.#id(), JSON.stringify(missed)));
      } else reader.whole(name, this.#wholeOf(name, followed));
    }
    for (const [name, topic] of asked) void this.#ask(open, name, topic);
    this.#unsubscribe ??= this.#deps.publisher.subscribe(this);
    this.#wake(TICK_MS);
  }

  /** The table has changed. */
  pump(): void {
    this.touch();
  }

  /** Something may have changed. */
  touch(): void {
    if (this.#open.size > 0) this.#wake(Math.max(0, this.#notBeforeMs - this.#nowMs()));
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    for (const { reader } of this.#open) reader.end();
  }

  #nowMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  #id(): string {
    const { epoch, revision } = this.#deps.publisher.log;
    return `${epoch}.${revision}`;
  }

  #wake(afterMs: number): void {
    const dueMs = this.#nowMs() + afterMs;
    if (dueMs >= this.#dueMs) return;
    this.#cancel?.();
    this.#dueMs = dueMs;
    this.#cancel = this.#deps.clock.setTimer(afterMs, () => this.#tick());
  }

  #tick(): void {
    this.#cancel = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (this.#open.size === 0) return;
    const startMs = this.#nowMs();
    try {
      for (const { reader, permit } of this.#open) if (permit.ended() !== null) reader.end();
      this.#look();
      for (const open of this.#open) {
        if (startMs - open.beatMs < BEAT_MS) continue;
        open.beatMs = startMs;
        open.reader.beat();
      }
    } catch (error) {
      // In a timer it would end the process; the next look may do better.
      this.#deps.failed(error);
    }
    const nowMs = this.#nowMs();
    this.#notBeforeMs = nowMs + Math.min(TICK_MS, Math.max(PAUSE_MS, (nowMs - startMs) * PAUSE_FACTOR));
    this.#wake(TICK_MS);
  }

  /** Tells all what has changed. */
  #look(): void {
    const nowMs = this.#nowMs();
    for (const [name, followed] of this.#followed) {
      const { topic, readers, lookedMs } = followed;
      if (nowMs - lookedMs < topic.everyMs) continue;
      followed.lookedMs = nowMs;
      const changes = topic.changes();
      if (changes === null) continue;
      followed.whole = null;
      const event = eventOf(name, this.#id(), JSON.stringify(changes));
      for (const reader of readers) reader.change(name, event);
    }
  }

  #wholeOf(name: string, followed: Followed): SharedBytes {
    return (followed.whole ??= eventOf(name, this.#id(), JSON.stringify(followed.topic.whole())));
  }

  #resend(reader: Reader, names: readonly string[]): void {
    try {
      for (const name of names) {
        const followed = this.#followed.get(name);
        if (followed !== undefined) reader.whole(name, this.#wholeOf(name, followed));
      }
    } catch (error) {
      this.#deps.failed(error);
      reader.end();
    }
  }

  async #ask(open: Open, name: string, topic: AskedTopic): Promise<void> {
    const { clock } = this.#deps;
    // While it is refused, as by a disk that cannot be read, its GET says why; all other topics go on.
    let isTold = false;
    try {
      while (this.#open.has(open)) {
        try {
          // Who has missed some is told all of it.
          if (open.missedAsked.delete(name)) isTold = false;
          const news: unknown = isTold ? await topic.next() : await topic.first();
          const event = news === null ? null : eventOf(name, this.#id(), JSON.stringify(news));
          if (event !== null && isTold) open.reader.change(name, event);
          else if (event !== null) open.reader.whole(name, event);
          isTold = true;
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          isTold = false;
        }
        await clock.sleep(isTold ? TICK_MS : REFUSED_MS);
      }
    } catch (error) {
      // Who follows comes back and is told by its GET what is wrong.
      this.#deps.failed(error);
      open.reader.end();
    } finally {
      topic.end?.();
    }
  }

  #leave(open: Open): void {
    if (!this.#open.delete(open)) return;
    for (const name of open.topics) {
      const followed = this.#followed.get(name);
      followed?.readers.delete(open.reader);
      if (followed?.readers.size === 0) this.#followed.delete(name);
    }
    if (this.#open.size > 0) return;
    this.#cancel?.();
    this.#cancel = null;
    this.#dueMs = Number.POSITIVE_INFINITY;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }
}

const NOTHING: Changes = { changed: [], gone: [] };
