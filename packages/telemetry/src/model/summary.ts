import type { TraceSummary } from "@datawire/api";
import { isFailure, worse } from "./levels.ts";
import type { EventRecord, Records, SpanRecord } from "./records.ts";

/** A trace in few words, with what is needed to add to it. */
export interface Summary extends TraceSummary {
  /** How well `service` and `name` stand for the trace: a span without a parent, another span, an event. */
  readonly rootRank: number;
  /** When that one began. */
  readonly rootMs: number;
}

const RANKS = { root: 0, span: 1, event: 2 } as const;

/** Services and nodes of a trace beyond so many are not listed. */
export const NAMES_MAX = 50;

/** Sums up what came of one trace; there is at least one record. */
export function summarise(traceId: string, { spans, events }: Records): Summary {
  return [...spans.map(ofSpan), ...events.map(ofEvent)].map((part) => ({ ...part, traceId })).reduce(mergeSummaries);
}

/** Puts two parts of one trace together. */
export function mergeSummaries(a: Summary, b: Summary): Summary {
  const isFirst = a.rootRank < b.rootRank || (a.rootRank === b.rootRank && a.rootMs <= b.rootMs);
  const root = isFirst ? a : b;
  const firstMs = Math.min(a.firstMs, b.firstMs);
  const lastMs = Math.max(a.lastMs, b.lastMs);
  return {
    traceId: a.traceId,
    firstMs,
    lastMs,
    events: a.events + b.events,
    level: worse(a.level, b.level),
    nodes: union(a.nodes, b.nodes),
    service: root.service,
    name: root.name,
    durationMs: toMicroseconds(lastMs - firstMs),
    services: union(a.services, b.services),
    spans: a.spans + b.spans,
    errors: a.errors + b.errors,
    rootRank: root.rootRank,
    rootMs: root.rootMs,
  };
}

/** Without what only adding needs. */
export function shownSummary({ rootRank: _rank, rootMs: _at, ...shown }: Summary): TraceSummary {
  return shown;
}

/** Rounds milliseconds to the microsecond: what a double holds of a moment since 1970. */
const toMicroseconds = (ms: number): number => Math.round(ms * 1_000) / 1_000;

function ofSpan({ traceId, parentId, name, start, durationMs, status, resource }: SpanRecord): Summary {
  return {
    traceId,
    firstMs: start,
    lastMs: toMicroseconds(start + durationMs),
    events: 0,
    level: null,
    nodes: [resource.node],
    service: resource.service,
    name,
    durationMs,
    services: resource.service === null ? [] : [resource.service],
    spans: 1,
    errors: status === "error" ? 1 : 0,
    rootRank: parentId === null ? RANKS.root : RANKS.span,
    rootMs: start,
  };
}

function ofEvent({ traceId, spanId, timestamp, level, resource }: EventRecord): Summary {
  return {
    traceId: traceId ?? "",
    firstMs: timestamp,
    lastMs: timestamp,
    events: 1,
    level,
    nodes: [resource.node],
    service: resource.service,
    name: null,
    durationMs: 0,
    services: resource.service === null ? [] : [resource.service],
    spans: 0,
    // What is told within a span stands in for no failure of its own: that span failed, or went on.
    errors: spanId === null && isFailure(level) ? 1 : 0,
    rootRank: RANKS.event,
    rootMs: timestamp,
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  if (b.every((one) => a.includes(one))) return [...a];
  return [...new Set([...a, ...b])].slice(0, NAMES_MAX);
}
