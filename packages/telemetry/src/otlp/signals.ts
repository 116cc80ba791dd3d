/** What OTLP tells of, each at a path of its own. */
export type Signal = "traces" | "logs" | "metrics";

/** How a message is written. */
export type Format = "protobuf" | "json";

/** What the rejected are called in the JSON of an answer. */
const REJECTED: Readonly<Record<Signal, string>> = {
  traces: "rejectedSpans",
  logs: "rejectedLogRecords",
  metrics: "rejectedDataPoints",
};

/** The answer in JSON to a request of which some may have been rejected; 64 bits are text there. */
export function partialSuccessJson(
  signal: Signal,
  { count, reason }: { readonly count: number; readonly reason: string },
): object {
  if (count === 0 && reason === "") return {};
  return { partialSuccess: { [REJECTED[signal]]: String(count), errorMessage: reason } };
}
