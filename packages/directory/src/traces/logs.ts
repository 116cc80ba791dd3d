import { LOG_LEVELS, type LoggedEvent, type LogLevelWord } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { type EventRecord, traceKey, type Written } from "@datawire/telemetry";
import { SeenOnce } from "./seen-once.ts";

/** A log event with the process that logged it. */
export interface KeptEvent extends LoggedEvent {
  readonly node: string;
  /** What the process is called among the callers; null where it has no such name. */
  readonly service: string | null;
}

/** Which events somebody follows. */
export interface LogFilter {
  /** One trace alone; null for all. */
  readonly trace: string | null;
  /** Of that level and worse. */
  readonly level: LogLevelWord;
}

interface LogsDeps {
  /** Keeps events, or says when to come again. */
  readonly keep: (events: readonly EventRecord[]) => Promise<Written>;
  readonly clock: Pick<Clock, "sleep">;
}

interface Follower {
  readonly filter: LogFilter;
  readonly take: (event: KeptEvent) => void;
}

interface Waiting {
  readonly record: EventRecord;
  readonly characters: number;
  readonly kept: () => void;
}

/** Of all that waits to be kept; past it, what comes is neither kept nor acknowledged, so that it comes again. */
const WAITING_CHARACTERS_MAX = 16 * 1024 * 1024;
/** What an event takes beside its text. */
const EVENT_CHARACTERS = 500;

/** The log events of a tenant: keeps each once, and tells those who follow them. */
export class Logs {
  readonly #deps: LogsDeps;
  readonly #seen = new SeenOnce();
  readonly #followers = new Set<Follower>();
  #waiting: Waiting[] = [];
  #characters = 0;
  #pumping: Promise<void> | null = null;

  constructor(deps: LogsDeps) {
    this.#deps = deps;
  }

  /**
   * Takes an event by its number in the process that logged it; one that came before is left as it is.
   * @returns whether it may be acknowledged, once it is on the disk.
   */
  async keep(sequence: number, event: KeptEvent): Promise<boolean> {
    const characters = event.text.length + EVENT_CHARACTERS;
    if (this.#characters + characters > WAITING_CHARACTERS_MAX) return false;
    if (!this.#seen.isNew(event.node, sequence)) {
      // It may be among those that wait.
      await this.#pumping;
      return true;
    }
    for (const { filter, take } of this.#followers) if (fits(event, filter)) take(event);
    this.#characters += characters;
    return new Promise((resolve) => {
      this.#waiting.push({ record: recordOf(event), characters, kept: () => resolve(true) });
      this.#pumping ??= this.#pump();
    });
  }

  /** Calls `take` with what is logged from now on; the function returned ends that. */
  follow(filter: LogFilter, take: (event: KeptEvent) => void): () => void {
    const follower = { filter, take };
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Keeps what waits, all that has come meanwhile together; it never fails. */
  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const records = batch.map(({ record }) => record);
      for (;;) {
        const written = await this.#deps.keep(records);
        const waitMs = waitOf(written);
        if (waitMs === 0) break;
        await this.#deps.clock.sleep(waitMs);
      }
      for (const { characters, kept } of batch) {
        this.#characters -= characters;
        kept();
      }
    }
    this.#pumping = null;
  }
}

/** A store that failed is there again in a moment. */
const FAILED_WAIT_MS = 1_000;

/** How long to wait before the same is given again; 0 where it is kept, or never will be. */
function waitOf(written: Written): number {
  if (written.state === "later") return written.afterMs;
  return written.state === "refused" && written.code === "unavailable" ? FAILED_WAIT_MS : 0;
}

function recordOf({
  traceId,
  clock,
  timestamp,
  level,
  category,
  text,
  environment,
  node,
  service,
}: KeptEvent): EventRecord {
  const resource = { service, version: null, instance: null, node, environment, attributes: {} };
  return { traceId, spanId: null, clock, timestamp, level, category, text, attributes: {}, resource };
}

function fits({ traceId, level }: KeptEvent, filter: LogFilter): boolean {
  return (
    (filter.trace === null || traceKey(traceId) === traceKey(filter.trace)) && rankOf(level) <= rankOf(filter.level)
  );
}

/** Lower is worse. */
const rankOf = (level: LogLevelWord): number => LOG_LEVELS.indexOf(level);
