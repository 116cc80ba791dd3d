import type { Answer, LogEvent, Span } from "@datawire/api";
import { placeSpans } from "../../core/waterfall.ts";

/** A request as a proxy made it for a caller: what `dw explain` takes. */
export interface ProxiedRequest {
  readonly caller: string;
  readonly service: string;
  /** What follows the name of the service. */
  readonly path: string;
  /** Where it went. */
  readonly instance: string | null;
  /** When it began, in milliseconds since 1970. */
  readonly atMs: number;
}

/** The request that a span of a Sherlock is of; null for any other span. */
export function proxiedRequest({
  service,
  instance,
  start,
  attributes,
}: Pick<Span, "service" | "instance" | "start" | "attributes">): ProxiedRequest | null {
  const { "datawire.caller": caller, "url.path": url } = attributes;
  if (service === null || typeof caller !== "string") return null;
  const path = typeof url === "string" ? url.replace(/^\/[^/]*/, "") : "";
  return { caller, service, path: path === "" ? "/" : path, instance, atMs: start };
}

type Change = Answer<"history">["history"][number];

/**
 * What was changed of a service since a moment, the newest first, by a history that has the newest first; null where that
 * does not reach back so far.
 * @param max entries that a history has at most: one that has fewer has all that there ever was.
 */
export function changesSince(
  history: readonly Change[],
  { service, atMs, max }: { readonly service: string; readonly atMs: number; readonly max: number },
): readonly Change[] | null {
  const since = history.filter(({ at }) => Date.parse(at) > atMs);
  if (since.length === history.length && history.length >= max) return null;
  return since.filter(({ action }) => namesService(action, service));
}

/** Whether an action is about a service: `//shop`, `//shop(2)` and `//shop@vm1` are of `shop`, `//shopping` is not. */
function namesService(action: string, service: string): boolean {
  return action
    .split("//")
    .slice(1)
    .some((rest) => rest.startsWith(service) && !/^[\w.-]/.test(rest.slice(service.length)));
}

/** What a span of a trace is known by, beside its messages. */
export const spanKey = ({ spanId }: Pick<Span, "spanId">): string => `span ${spanId}`;

/** What a message of a trace is known by, beside its spans. */
export const messageKey = ({ id }: Pick<LogEvent, "id">): string => `message ${id}`;

/** The keys of what failed in a trace, as it is shown: spans from the top down, then messages. */
export function failuresOf({
  spans,
  events,
}: {
  readonly spans: readonly Span[];
  readonly events: readonly LogEvent[];
}): readonly string[] {
  return [
    ...placeSpans(spans).flatMap(({ span }) => (span.status === "error" ? [spanKey(span)] : [])),
    ...events.filter(({ level }) => level === "ERROR" || level === "CRITICAL").map(messageKey),
  ];
}
