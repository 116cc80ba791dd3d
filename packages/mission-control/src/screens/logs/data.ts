import { endpoints, type LogEvent, type TraceSummary } from "@datawire/api";
import type { Question } from "../../data/live.ts";

/** What there may be more of, and what there was and is lost. */
interface Page {
  readonly dropped: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
}

/** What traces and messages are narrowed down by. */
export interface Filters {
  readonly q: string;
  readonly service: string;
  readonly level: string;
  /** A duration before now, such as `15m`. */
  readonly since: string;
}

const LIMIT = "200";
const LIVE_MS = 700;

/** Traces of these filters, asked again and again while `isLive`. */
export function tracesQuestion(
  filters: Filters,
  isLive: boolean,
): Question<Page & { readonly traces: readonly TraceSummary[] }> {
  return {
    key: `traces?${JSON.stringify(filters)}${isLive}`,
    everyMs: isLive ? LIVE_MS : null,
    ask: (client) => client.ask(endpoints.listTraces, { query: given(filters) }),
  };
}

/** Messages of these filters, asked again and again while `isLive`. */
export function messagesQuestion(
  filters: Filters,
  isLive: boolean,
): Question<Page & { readonly events: readonly LogEvent[] }> {
  return {
    key: `logs?${JSON.stringify(filters)}${isLive}`,
    everyMs: isLive ? LIVE_MS : null,
    ask: (client) => client.ask(endpoints.listLogs, { query: given(filters) }),
  };
}

/** What was lost, in words: `3 over the rate, 1 for want of space`; null where nothing was. */
export function droppedText(dropped: Readonly<Record<string, number>>): string | null {
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  return lost.length === 0 ? null : lost.map(([reason, count]) => `${count} ${reason}`).join(", ");
}

function given(filters: Filters): Record<string, string> {
  return { ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== "")), limit: LIMIT };
}
