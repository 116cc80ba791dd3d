import type { Choice } from "./node.ts";

/** Of one interaction, the most that is remembered of what it resolved; the oldest goes first. */
const CHOICES_MAX = 1_000;
/** Interactions within one another; of more, the outermost are forgotten. */
const LEVELS_MAX = 100;

/** What an interaction is, for whoever traces. */
export interface InteractionInfo {
  /** What it does, in a few words. */
  readonly name: string;
  /** Who had it begin: a request, a message, or the process itself. */
  readonly kind: "server" | "consumer" | "internal";
}

const UNNAMED: InteractionInfo = { name: "interaction", kind: "server" };

/** One interaction that is not finished. */
class Level {
  readonly startedMs: number;
  readonly info: InteractionInfo;
  failure: string | null = null;
  /** Null until it is asked for: most are never told of. */
  spanId: string | null = null;
  #choices: Choice[] = [];
  #next = 0;

  constructor(startedMs: number, info: InteractionInfo) {
    this.startedMs = startedMs;
    this.info = info;
  }

  /** On the way of every call: no set, and nothing is looked for. */
  note(choice: Choice): void {
    this.#choices[this.#next] = choice;
    this.#next = this.#next + 1 === CHOICES_MAX ? 0 : this.#next + 1;
  }

  take(): Choice[] {
    const choices = [...new Set(this.#choices)];
    this.#choices = [];
    this.#next = 0;
    return choices;
  }
}

/** What was resolved since the start of each interaction that is not finished; one within another, the last inmost. */
export class Interactions {
  /** Never empty: the first one is the session itself. */
  readonly #levels: Level[];
  #inmost: Level;

  constructor(nowMs: number) {
    this.#inmost = new Level(nowMs, UNNAMED);
    this.#levels = [this.#inmost];
  }

  note(choice: Choice): void {
    this.#inmost.note(choice);
  }

  start(nowMs: number, info: InteractionInfo = UNNAMED): void {
    if (this.#levels.length > LEVELS_MAX) this.#levels.splice(1, 1);
    this.#inmost = new Level(nowMs, info);
    this.#levels.push(this.#inmost);
  }

  /** The span of the inmost interaction; null while none was started. */
  spanId(newSpanId: () => string): string | null {
    if (this.#levels.length === 1) return null;
    return (this.#inmost.spanId ??= newSpanId());
  }

  /** What the inmost interaction has resolved since its start, or since it last failed. */
  take(): Choice[] {
    return this.#inmost.take();
  }

  /** The inmost interaction has failed. */
  fail(why: string): void {
    this.#inmost.failure = why;
  }

  /** Ends the inmost interaction, and gives what it has resolved and did not fail. */
  finish(): {
    readonly choices: Choice[];
    readonly startedMs: number;
    readonly failure: string | null;
    readonly info: InteractionInfo;
  } {
    const { startedMs, failure, info } = this.#inmost;
    const choices = this.#inmost.take();
    if (this.#levels.length > 1) {
      this.#levels.pop();
      this.#inmost = this.#levels.at(-1) as Level;
    }
    return { choices, startedMs, failure, info };
  }
}
