import { type Message, message, messages, Parts } from "./values.ts";

const KINDS = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"] as const;

/** How many points an ExportMetricsServiceRequest has. @throws ProtocolError for what is none. */
export function countPoints(request: Message): number {
  const parts = new Parts();
  return parts
    .of(request, "resourceMetrics")
    .flatMap((resource) => parts.of(resource, "scopeMetrics"))
    .flatMap((scope) => messages(scope, "metrics"))
    .reduce((sum, metric) => sum + pointsOf(metric), 0);
}

const pointsOf = (metric: Message): number =>
  KINDS.reduce((sum, kind) => sum + messages(message(metric, kind), "dataPoints").length, 0);
