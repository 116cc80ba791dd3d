import { endpoints, type LogEvent, type Span } from "@datawire/api";
import type { Question } from "./live.ts";

/** All that is known of one trace. */
export interface TraceFacts {
  readonly spans: readonly Span[];
  readonly events: readonly LogEvent[];
  /** Whether there may be more. */
  readonly partial: boolean;
}

/** A trace goes on while its spans come in. */
const EVERY_MS = 2_000;

/** The messages and spans of one trace. */
export function traceQuestion(traceId: string): Question<TraceFacts> {
  return {
    key: `trace/${traceId}`,
    everyMs: EVERY_MS,
    ask: (client) => client.ask(endpoints.showTrace, { params: { trace: traceId } }),
  };
}
