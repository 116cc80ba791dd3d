import { endpoints, type LogEvent, type Span } from "@datawire/api";
import type { Question } from "./entry.ts";

/** All that is known of one trace. */
export interface TraceFacts {
  readonly spans: readonly Span[];
  readonly events: readonly LogEvent[];
  /** Whether there may be more. */
  readonly partial: boolean;
}

/** A trace goes on while its spans come in. */
const EVERY_MS = 2_000;
/** Exporters send what they have every few seconds: of a trace that was quiet for so long, nothing more comes by itself. */
const QUIET_MS = 60_000;
/** One that ended so long ago is complete. The clock of the browser may be another one. */
const OLD_MS = 3_600_000;

/** The messages and spans of one trace. */
export function traceQuestion(traceId: string): Question<TraceFacts> {
  return {
    key: `trace/${traceId}`,
    everyMs: EVERY_MS,
    quiet: { untilMs: quietMs },
    ask: (client) => client.ask(endpoints.showTrace, { params: { trace: traceId } }),
  };
}

/** How long after it has changed a trace is still asked for: one that is being made may gain something, an old one does not. */
export function quietMs({ spans, events }: Pick<TraceFacts, "spans" | "events">, nowMs: number): number {
  return nowMs - endOf(spans, events) > OLD_MS ? 0 : QUIET_MS;
}

function endOf(spans: readonly Span[], events: readonly LogEvent[]): number {
  const ends = [...spans.map(({ start, durationMs }) => start + durationMs), ...events.map((one) => one.timestamp)];
  return ends.reduce((last, one) => Math.max(last, one), Number.NEGATIVE_INFINITY);
}
