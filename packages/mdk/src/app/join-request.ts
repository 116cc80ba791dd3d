import {
  CARRIED_HEADERS,
  CARRIED_LENGTH_MAX,
  CONTEXT_HEADER,
  parseRemaining,
  REMAINING_HEADER,
  TRACE_PARENT_HEADER,
} from "../headers/names.ts";
import { parseTraceParent, uuidOf } from "../headers/trace-parent.ts";
import type { LiveSession } from "../session/session.ts";
import type { Mdk } from "./types.ts";
import { requireApplication } from "./require-application.ts";

/** A header of a request by its name in lower case; null or undefined where it has none. */
export type HeaderOf = (name: string) => string | null | undefined;

/**
 * Makes the session of a request that came: that of its context, else the trace of its `traceparent`, else a new one.
 * @param isAwaited false where nobody waits for what becomes of it: then its deadline does not hold.
 */
export function joinRequest(mdk: Mdk, header: HeaderOf, isAwaited = true): LiveSession {
  const { sessions } = requireApplication(mdk);
  const context = header(CONTEXT_HEADER.toLowerCase());
  const remaining = isAwaited ? parseRemaining(header(REMAINING_HEADER.toLowerCase())) : undefined;
  const parent = parseTraceParent(header(TRACE_PARENT_HEADER));
  const session =
    parent !== null && !context
      ? sessions.continue(uuidOf(parent.traceId), { remaining })
      : isAwaited
        ? sessions.join(context, { remaining })
        : sessions.follow(context);
  // The span of another trace is no parent of this one's.
  if (parent !== null && parent.traceId === session.w3cTraceId) session.parentSpanId = parent.spanId;
  for (const name of CARRIED_HEADERS) {
    const value = header(name);
    if (value && value.length <= CARRIED_LENGTH_MAX) session.carried.set(name, value);
  }
  return session;
}
