import { endpoints } from "@datawire/api";
import { LOG_LEVELS, type LogLevelWord, parseDuration, ProtocolError } from "@datawire/protocol";
import type { ApiContext } from "./context.ts";
import { bind, type BoundEndpoint } from "./router.ts";

const LIMIT = { max: 1_000, default: 100 } as const;

/** The endpoints behind traces: what the tenant's sessions have logged, whichever environment they were in. */
export function traceEndpoints({ logs, clock }: Pick<ApiContext, "logs" | "clock">): BoundEndpoint[] {
  return [
    bind(endpoints.listTraces, ({ query }) => ({
      traces: logs.store.list({
        sinceMs: query.since === undefined ? 0 : sinceOf(query.since, clock.nowMs()),
        level: levelOf(query.level ?? "DEBUG"),
        limit: limitOf(query.limit),
      }),
    })),
    bind(endpoints.showTrace, ({ params }) => {
      const found = logs.store.trace(params.trace);
      if (found !== null) return found;
      throw new ProtocolError(
        "not_found",
        `Cannot show the trace ${params.trace.slice(0, 200)}: nothing is kept of it`,
      );
    }),
  ];
}

/** Reads a moment, or how long ago it was. */
function sinceOf(text: string, nowMs: number): number {
  const atMs = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  // A bare number of so many digits is no duration that anybody means: as events are dated, so may be asked.
  if (/^\d{12,14}$/.test(text)) return Number(text);
  return nowMs - parseDuration(text);
}

function levelOf(text: string): LogLevelWord {
  const level = LOG_LEVELS.find((one) => one === text.toUpperCase());
  if (level !== undefined) return level;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(text.slice(0, 100))} as level: wanted one of ${LOG_LEVELS.join(", ")}`,
  );
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT.default;
  const limit = /^\d+$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIMIT.max) return limit;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${JSON.stringify(text.slice(0, 100))} as limit: wanted a number from 1 to ${LIMIT.max}`,
  );
}
