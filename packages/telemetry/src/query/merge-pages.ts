import type { LogEvent, Span, TraceSummary } from "@datawire/api";
import { worse } from "../model/levels.ts";
import { traceKey } from "../model/records.ts";
import { byClock, byStart } from "../model/shown.ts";
import {
  comparePositions,
  type Position,
  readPosition,
  readTails,
  type Tails,
  writePosition,
  writeTails,
} from "./positions.ts";

/** What `GET /v1/traces` answers with. */
export interface TracesPage {
  readonly traces: readonly TraceSummary[];
  readonly next: string | null;
  readonly dropped: Readonly<Record<string, number>>;
}

/** What `GET /v1/logs` answers with. */
export interface LogsPage {
  readonly events: readonly LogEvent[];
  readonly next: string | null;
  readonly tail: string;
  readonly dropped: Readonly<Record<string, number>>;
}

/** What `GET /v1/traces/ID` answers with. */
export interface TracePage {
  readonly traceId: string;
  readonly spans: readonly Span[];
  readonly events: readonly LogEvent[];
  readonly partial: boolean;
}

/**
 * Puts the pages of several directories together as one. Each found by what it has itself: a trace of which several have
 * a part is one here where these stand on the same page of each.
 */
export function mergeTracePages(pages: readonly TracesPage[], limit: number): TracesPage {
  const traces = new Map<string, TraceSummary>();
  for (const trace of pages.flatMap((page) => page.traces)) {
    const key = traceKey(trace.traceId);
    const known = traces.get(key);
    traces.set(key, known === undefined ? trace : joined(known, trace));
  }
  const placed = [...traces].map(([key, trace]) => ({ position: { atMs: trace.lastMs, key }, one: trace }));
  const { shown, next } = cut(placed, { ends: pages.map((page) => page.next), limit });
  return { traces: shown, next, dropped: sum(pages) };
}

/** Puts the pages of several directories together as one. */
export function mergeLogPages(
  pages: readonly LogsPage[],
  { limit, after }: { readonly limit: number; readonly after: string | null },
): LogsPage {
  const known: [string, Tails][] = pages.map(({ tail }) => [tail, readTails(tail)]);
  const tail = writeTails(
    newestOf([...(after === null ? [] : [readTails(after)]), ...known.map(([, tails]) => tails)]),
  );
  const events = pages.flatMap((page) => page.events);
  // What came since stands as each directory got it: all of it is told, as its tails say that it was.
  if (after !== null)
    return { events: events.toSorted((a, b) => a.timestamp - b.timestamp), next: null, tail, dropped: sum(pages) };
  const placed = events.map((event) => ({ position: { atMs: event.timestamp, key: event.id }, one: event }));
  const { shown, next } = cut(placed, { ends: pages.map((page) => page.next), limit });
  return { events: shown, next, tail, dropped: sum(pages) };
}

/** Puts the parts of a trace together; at least one directory has some. */
export function mergeTraceParts(parts: readonly [TracePage, ...TracePage[]], isWhole: boolean): TracePage {
  return {
    traceId: parts[0].traceId,
    spans: parts.flatMap(({ spans }) => spans).toSorted(byStart),
    events: parts.flatMap(({ events }) => events).toSorted(byClock),
    partial: !isWhole || parts.some(({ partial }) => partial),
  };
}

interface Placed<T> {
  readonly position: Position;
  readonly one: T;
}

/** As much as every page reaches, and no more than the limit: below where one of them ends, something may be missing. */
function cut<T>(
  placed: readonly Placed<T>[],
  { ends, limit }: { readonly ends: readonly (string | null)[]; readonly limit: number },
): { readonly shown: T[]; readonly next: string | null } {
  const [end] = ends.flatMap((next) => (next === null ? [] : [readPosition(next)])).toSorted(comparePositions);
  const sorted = placed.toSorted((a, b) => comparePositions(a.position, b.position));
  const reached = end === undefined ? sorted : sorted.filter(({ position }) => comparePositions(position, end) <= 0);
  const shown = reached.slice(0, limit);
  const last = shown.at(-1);
  if (shown.length < reached.length && last !== undefined)
    return { shown: shown.map(({ one }) => one), next: writePosition(last.position) };
  return { shown: shown.map(({ one }) => one), next: end === undefined ? null : writePosition(end) };
}

function joined(a: TraceSummary, b: TraceSummary): TraceSummary {
  const [first, second] = a.firstMs <= b.firstMs ? [a, b] : [b, a];
  const root = first.name === null ? second : first;
  const firstMs = first.firstMs;
  const lastMs = Math.max(a.lastMs, b.lastMs);
  return {
    traceId: a.traceId,
    firstMs,
    lastMs,
    events: a.events + b.events,
    level: worse(a.level, b.level),
    nodes: [...new Set([...a.nodes, ...b.nodes])],
    service: root.service,
    name: root.name,
    durationMs: Math.round((lastMs - firstMs) * 1_000) / 1_000,
    services: [...new Set([...a.services, ...b.services])],
    spans: a.spans + b.spans,
    errors: a.errors + b.errors,
  };
}

function sum(pages: readonly { readonly dropped: Readonly<Record<string, number>> }[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { dropped } of pages)
    for (const [reason, count] of Object.entries(dropped)) counts.set(reason, (counts.get(reason) ?? 0) + count);
  return Object.fromEntries(counts);
}

/** Of each directory where it has come furthest. */
function newestOf(all: readonly Tails[]): Tails {
  const newest = new Map<string, readonly [file: number, event: number]>();
  for (const tails of all) {
    for (const [who, place] of tails) {
      const [file, event] = newest.get(who) ?? [-1, -1];
      if (place[0] > file || (place[0] === file && place[1] > event)) newest.set(who, place);
    }
  }
  return newest;
}
