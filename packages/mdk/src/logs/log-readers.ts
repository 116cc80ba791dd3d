import type { LinkMessage, LinkSession } from "@datawire/link";
import { isLogged, type Level, parseLevel } from "../session/levels.ts";
import type { LogEvent } from "../session/log-event.ts";
import { MdkError } from "../session/mdk-error.ts";

/** Which log events are wanted. */
export interface LogsOptions {
  /** Only of this trace. Default: all. */
  readonly trace?: string;
  /** Of this level and worse. Default: `DEBUG`. */
  readonly level?: Level;
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
}

/** What waits for one reader; then the oldest go. */
const WAITING_MAX = 10_000;

/** Those who read the logs of all programs, over one link. */
export class LogReaders {
  readonly #readers = new Set<LogReader>();
  readonly #links: LinkSession[] = [];
  #stopped = false;

  read({ trace, level = "DEBUG", signal }: LogsOptions = {}): AsyncIterable<LogEvent> {
    const wish = { trace: trace ?? null, level: parseLevel(level) };
    return {
      [Symbol.asyncIterator]: () => {
        const reader: LogReader = new LogReader(wish, signal, () => {
          this.#readers.delete(reader);
          this.#ask();
        });
        if (this.#stopped) reader.end(new MdkError("stopped", "Cannot read logs: the library is stopped"));
        else if (signal?.aborted !== true) this.#readers.add(reader);
        this.#ask();
        return reader;
      },
    };
  }

  connected(link: LinkSession): void {
    this.#links.push(link);
    if (this.#readers.size > 0) this.#ask();
  }

  disconnected(link: LinkSession): void {
    const wasFirst = this.#links[0] === link;
    this.#links.splice(this.#links.indexOf(link), 1);
    if (wasFirst && this.#readers.size > 0) this.#ask();
  }

  message(link: LinkSession, message: LinkMessage): void {
    if (link !== this.#links[0]) return;
    if (message.type === "log")
      for (const reader of this.#readers) for (const event of message.events) reader.take(event);
    if (message.type === "error" && /^Cannot (?:show log events|take followLogs)|"followLogs"/.test(message.message))
      this.#fail(new MdkError(message.code, message.message));
  }

  stop(): void {
    this.#stopped = true;
    for (const reader of this.#readers) reader.end(null);
  }

  #fail(error: MdkError): void {
    for (const reader of this.#readers) reader.end(error);
  }

  /** Asks for what all readers together want; each then takes its own. */
  #ask(): void {
    const [link] = this.#links;
    const wishes = [...this.#readers].map(({ wish }) => wish);
    if (link === undefined) return;
    const [first] = wishes;
    if (first === undefined) return void link.send({ type: "followLogs", trace: null, level: null });
    const trace = wishes.every((one) => one.trace === first.trace) ? first.trace : null;
    const level = wishes.map((one) => one.level).reduce((a, b) => (isLogged(a, b) ? b : a));
    link.send({ type: "followLogs", trace, level });
  }
}

class LogReader implements AsyncIterator<LogEvent> {
  readonly wish: { readonly trace: string | null; readonly level: Level };
  readonly #waiting: LogEvent[] = [];
  readonly #onEnd: () => void;
  readonly #signal: AbortSignal | undefined;
  #end: { readonly error: MdkError | null } | null = null;
  #wake: () => void = () => {};

  constructor(wish: LogReader["wish"], signal: AbortSignal | undefined, onEnd: () => void) {
    this.wish = wish;
    this.#onEnd = onEnd;
    this.#signal = signal;
    if (signal?.aborted === true) this.#end = { error: null };
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  take(event: LogEvent): void {
    const { trace, level } = this.wish;
    if ((trace !== null && event.traceId !== trace) || !isLogged(event.level, level)) return;
    if (this.#waiting.length >= WAITING_MAX) this.#waiting.shift();
    this.#waiting.push(event);
    this.#wake();
  }

  end(error: MdkError | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#onEnd();
    this.#wake();
  }

  async next(): Promise<IteratorResult<LogEvent>> {
    while (this.#waiting.length === 0) {
      if (this.#end !== null) {
        const { error } = this.#end;
        if (error !== null) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return { done: false, value: this.#waiting.shift() as LogEvent };
  }

  return(): Promise<IteratorResult<LogEvent>> {
    this.end(null);
    this.#waiting.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  readonly #abort = (): void => this.end(null);
}
