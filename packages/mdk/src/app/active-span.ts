import { uuidOf } from "../headers/trace-parent.ts";

/** As far as it is used, what an OpenTelemetry API of version 1 has registered for the process. */
interface RegisteredApi {
  readonly context?: { active(): { getValue(key: symbol): unknown } };
}

/** Where it is found by all copies of the API, and the key of the active span (`createContextKey` makes it so). */
const API = Symbol.for("opentelemetry.js.api.1");
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");

/**
 * The trace of the span that is active in the OpenTelemetry SDK of the application, as a UUID; null where there is none.
 * It is looked up where the API registers itself, so that an application without OpenTelemetry needs no module of it.
 */
export function activeTraceId(): string | null {
  const api = (globalThis as { readonly [API]?: RegisteredApi })[API];
  const span = api?.context?.active().getValue(SPAN_KEY) as { spanContext?(): { traceId?: unknown } } | undefined;
  const traceId = span?.spanContext?.().traceId;
  return typeof traceId === "string" && /^(?!0{32})[0-9a-f]{32}$/.test(traceId) ? uuidOf(traceId) : null;
}
