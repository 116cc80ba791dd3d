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

/** Makes the session of a request that came: that of its context, else the trace of its `traceparent`, else a new one. */
export function joinRequest(mdk: Mdk, header: HeaderOf): LiveSession {
  const { sessions } = requireApplication(mdk);
  const context = header(CONTEXT_HEADER.toLowerCase());
  const remaining = parseRemaining(header(REMAINING_HEADER.toLowerCase()));
  const parent = parseTraceParent(header(TRACE_PARENT_HEADER));
  const session =
    parent !== null && !context
      ? sessions.continue(uuidOf(parent.traceId), { remaining })
      : sessions.join(context, { remaining });
  for (const name of CARRIED_HEADERS) {
    const value = header(name);
    if (value && value.length <= CARRIED_LENGTH_MAX) session.carried.set(name, value);
  }
  return session;
}
