import type { LogEvent, Span } from "@datawire/api";
import type { EventRecord, SpanRecord } from "./records.ts";

/** A span as the interface gives it. */
export function shownSpan({ resource, ...span }: SpanRecord): Span {
  const { service, version, instance, attributes } = resource;
  return { ...span, service, version, instance, resource: attributes } as Span;
}

/** An event as the interface gives it. */
export function shownEvent({ resource, ...event }: EventRecord, id: string): LogEvent {
  const { service, instance, node, environment, attributes } = resource;
  return { id, ...event, node, environment, service, instance, resource: attributes } as LogEvent;
}

/** Spans by when they began. */
export const byStart = (a: { readonly start: number }, b: { readonly start: number }): number => a.start - b.start;

interface Ticked {
  readonly clock: readonly number[];
  readonly timestamp: number;
}

/** Events of one trace by clock, `[1] < [1,1] < [2]`, then time; those without a clock by time, which comes first. */
export function byClock(a: Ticked, b: Ticked): number {
  if (a.clock.length > 0 && b.clock.length > 0) {
    for (const [i, tick] of a.clock.entries()) {
      const other = b.clock[i];
      if (other === undefined) return 1;
      if (tick !== other) return tick - other;
    }
    if (b.clock.length > a.clock.length) return -1;
  }
  return a.timestamp - b.timestamp;
}
