export { CONTEXT_HEADER } from "../session/context.ts";

/** The header that says how many milliseconds are left until the deadline: it needs no equal clocks. */
export const REMAINING_HEADER = "X-MDK-Remaining";

/** W3C Trace Context. */
export const TRACE_PARENT_HEADER = "traceparent";

/** Headers of other kinds of contexts that go on with a request as they came, if they are no longer than that. */
export const CARRIED_HEADERS = ["tracestate", "baggage"] as const;
/** W3C Baggage, section 3.3.2, wants that much to be passed on. */
export const CARRIED_LENGTH_MAX = 8_192;

/** What `X-MDK-Remaining` says, in milliseconds; undefined for anything that is no whole number. */
export function parseRemaining(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}
