import { LOG_LEVELS, type LoggedEvent, type LogLevelWord } from "@datawire/protocol";
import { compareClocks } from "./compare-clocks.ts";

/** A log event with the process that logged it. */
export interface KeptEvent extends LoggedEvent {
  readonly node: string;
}

/** A trace in a line. */
export interface TraceSummary {
  readonly traceId: string;
  readonly firstMs: number;
  readonly lastMs: number;
  /** How many are kept. */
  readonly events: number;
  /** The worst of any. */
  readonly level: LogLevelWord;
  /** The processes that logged. */
  readonly nodes: readonly string[];
}

/** Which traces are asked for. */
export interface TraceQuery {
  /** Those in which something was logged since then, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** Those with an event of that level or a worse one. */
  readonly level: LogLevelWord;
  readonly limit: number;
}

/** Where log events are kept. */
export interface TraceStore {
  append(event: KeptEvent): void;
  /** The newest first. */
  list(query: TraceQuery): TraceSummary[];
  /** The events of a trace by their clocks, then by time; null for a trace of which nothing is kept. Ignores case and hyphens of the id. */
  trace(traceId: string): { readonly traceId: string; readonly events: readonly KeptEvent[] } | null;
}

export interface TraceBounds {
  /** Of all texts together, in characters. */
  readonly charactersMax: number;
  /** The most events of one trace. */
  readonly eventsMax: number;
}

const BOUNDS: TraceBounds = { charactersMax: 64 * 1024 * 1024, eventsMax: 10_000 };
/** What an event takes beside its texts. */
const EVENT_CHARACTERS = 200;

interface Trace {
  readonly traceId: string;
  events: KeptEvent[];
  characters: number;
}

/** Keeps log events in memory: of all traces, those in which something was logged last. */
export class MemoryTraces implements TraceStore {
  readonly #bounds: TraceBounds;
  /** By id without hyphens; the one that was added to last at the end. */
  readonly #traces = new Map<string, Trace>();
  #characters = 0;

  constructor(bounds: TraceBounds = BOUNDS) {
    this.#bounds = bounds;
  }

  append(event: KeptEvent): void {
    const key = keyOf(event.traceId);
    const trace = this.#traces.get(key) ?? { traceId: event.traceId, events: [], characters: 0 };
    this.#traces.delete(key);
    this.#traces.set(key, trace);
    trace.events.push(event);
    this.#weigh(trace, charactersOf(event));
    if (trace.events.length > this.#bounds.eventsMax) {
      // A tenth at once, so that a long trace is not moved with each event.
      const [...gone] = trace.events.splice(0, Math.ceil(this.#bounds.eventsMax / 10));
      for (const one of gone) this.#weigh(trace, -charactersOf(one));
    }
    for (const [oldest, { characters }] of this.#traces) {
      if (this.#characters <= this.#bounds.charactersMax || oldest === key) break;
      this.#traces.delete(oldest);
      this.#characters -= characters;
    }
  }

  list({ sinceMs, level, limit }: TraceQuery): TraceSummary[] {
    const found: TraceSummary[] = [];
    for (const trace of [...this.#traces.values()].toReversed()) {
      if (found.length >= limit) break;
      const summary = summaryOf(trace);
      if (summary.lastMs >= sinceMs && rankOf(summary.level) <= rankOf(level)) found.push(summary);
    }
    return found.toSorted((a, b) => b.lastMs - a.lastMs);
  }

  trace(traceId: string): { readonly traceId: string; readonly events: readonly KeptEvent[] } | null {
    const trace = this.#traces.get(keyOf(traceId));
    if (trace === undefined) return null;
    const events = trace.events.toSorted((a, b) => compareClocks(a.clock, b.clock) || a.timestamp - b.timestamp);
    return { traceId: trace.traceId, events };
  }

  #weigh(trace: Trace, characters: number): void {
    trace.characters += characters;
    this.#characters += characters;
  }
}

/** Lower is worse. */
export const rankOf = (level: LogLevelWord): number => LOG_LEVELS.indexOf(level);

const keyOf = (traceId: string): string => traceId.replaceAll("-", "").toLowerCase();

const charactersOf = ({ text, category, traceId, node, clock }: KeptEvent): number =>
  EVENT_CHARACTERS + text.length + category.length + traceId.length + node.length + 8 * clock.length;

function summaryOf({ traceId, events }: Trace): TraceSummary {
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  let worst = LOG_LEVELS.length - 1;
  const nodes = new Set<string>();
  for (const { timestamp, level, node } of events) {
    firstMs = Math.min(firstMs, timestamp);
    lastMs = Math.max(lastMs, timestamp);
    worst = Math.min(worst, rankOf(level));
    nodes.add(node);
  }
  return {
    traceId,
    firstMs,
    lastMs,
    events: events.length,
    level: LOG_LEVELS[worst] as LogLevelWord,
    nodes: [...nodes],
  };
}
