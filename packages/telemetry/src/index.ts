export { LOSS_REASONS, type LossReason } from "./intake/loss.ts";
export { BODY_BYTES_MAX } from "./intake/unpack.ts";
export type { EventRecord, Records, Resource, SpanRecord } from "./model/records.ts";
export { traceKey } from "./model/records.ts";
export type { Format, Signal } from "./otlp/signals.ts";
export { type LogsQuestion, logsQuestion, type Question, readFlag, tracesQuestion } from "./query/questions.ts";
export { refusalBody } from "./service/refusal-body.ts";
export {
  type LogsPage,
  mergeLogPages,
  mergeTracePages,
  mergeTraceParts,
  type TracePage,
  type TracesPage,
} from "./query/merge-pages.ts";
export { startTelemetry } from "./service/start-telemetry.ts";
export { BUSY, type Found, noTelemetry, type Telemetry, type Written } from "./service/telemetry.ts";
export type { ThreadSettings } from "./worker/messages.ts";
