import type { InteractionInfo } from "../session/interactions.ts";
import type { LiveSession } from "../session/session.ts";

/** How a request ended. */
export type RequestEnd =
  | { readonly state: "answered"; readonly status: number }
  | { readonly state: "failed"; readonly reason: unknown }
  /** The client went away: that is no failure of anybody, and no success. */
  | { readonly state: "abandoned" };

/** What a request is called in traces: its method, and its path without the query. */
export function requestInfo(method: string | undefined, url: string | undefined): InteractionInfo {
  return {
    name: `${method ?? "GET"} ${(url ?? "/").replace(/[?#].*$/s, "").slice(0, PATH_LENGTH_MAX)}`,
    kind: "server",
  };
}

const PATH_LENGTH_MAX = 200;

/** Starts the interaction of a request. The function returned ends it, the first time that it is called. */
export function startRequest(session: LiveSession, info: InteractionInfo): (end: RequestEnd) => void {
  session.startInteraction(info);
  let isOver = false;
  return (end) => {
    if (isOver) return;
    isOver = true;
    if (end.state === "abandoned") return session.abandonInteraction();
    if (end.state === "failed") session.failInteraction(end.reason);
    else if (end.status >= 500) session.failInteraction(`the answer was ${end.status}`);
    session.finishInteraction();
  };
}

/** The status that an error asks for, as `http-errors` has it; 500 for any other. */
export function statusOf(error: unknown): number {
  const { status, statusCode } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const asked = typeof status === "number" ? status : statusCode;
  return typeof asked === "number" && asked >= 400 ? asked : 500;
}
