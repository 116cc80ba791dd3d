import { type ApiClient, endpoints, type LogEvent, type TraceSummary } from "@datawire/api";
import type { Question } from "../../data/entry.ts";
import type { Changes } from "../../data/stream.ts";

/** Some of the rows that there are, the newest first. */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  /** `cursor` of the rows before the last; null at the end. */
  readonly next: string | null;
}

/** What traces and messages are narrowed down by. */
export interface Filters {
  readonly q: string;
  readonly service: string;
  readonly level: string;
  /** A duration before now, such as `15m`. */
  readonly since: string;
}

/** What was lost since the directory started, by reason, and which directories did not answer. */
export interface Lost {
  readonly dropped: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
}

/** Traces, or messages: how they are asked for and told apart. */
export interface Kind<Row> {
  readonly topic: "traces" | "logs";
  ask(client: ApiClient, query: Readonly<Record<string, string>>): Promise<Listing<Row>>;
  /** The rows of what the topic begins with. */
  rowsOf(whole: unknown): Listing<Row>;
  keyOf(row: Row): string;
  /** When it was, or when it last gained something. */
  atOf(row: Row): number;
}

/** Traces, by request. */
export const TRACES: Kind<TraceSummary> = {
  topic: "traces",
  ask: async (client, query) => tracesOf(await client.ask(endpoints.listTraces, { query })),
  rowsOf: (whole) => tracesOf(whole as TracesPage),
  keyOf: ({ traceId }) => traceId,
  atOf: ({ lastMs }) => lastMs,
};

/** Messages, one by one. */
export const MESSAGES: Kind<LogEvent> = {
  topic: "logs",
  ask: async (client, query) => eventsOf(await client.ask(endpoints.listLogs, { query })),
  rowsOf: (whole) => eventsOf(whole as LogsPage),
  keyOf: ({ id }) => id,
  atOf: ({ timestamp }) => timestamp,
};

interface TracesPage {
  readonly traces: readonly TraceSummary[];
  readonly next: string | null;
}

interface LogsPage {
  readonly events: readonly LogEvent[];
  readonly next: string | null;
}

function tracesOf({ traces, next }: TracesPage): Listing<TraceSummary> {
  return { rows: traces, next };
}

function eventsOf({ events, next }: LogsPage): Listing<LogEvent> {
  return { rows: events, next };
}

/** Rows of a page. */
const PAGE_ROWS = 200;
/** What a live list may grow to before it is read anew. */
const LIVE_ROWS_MAX = 2_000;
const LIVE_MS = 1_000;
const LOST_MS = 3_000;

/** The newest rows of these filters, followed while `isLive`. */
export function newestQuestion<Row>(kind: Kind<Row>, filters: Filters, isLive: boolean): Question<Listing<Row>> {
  const query = queryOf(filters);
  return {
    key: `${kind.topic}?${JSON.stringify(filters)}${isLive}`,
    everyMs: isLive ? LIVE_MS : null,
    ask: (client) => kind.ask(client, query),
    ...(isLive
      ? {
          topic: kind.topic,
          chosen: query,
          wholeOf: (whole: unknown) => kind.rowsOf(whole),
          merge: (before: Listing<Row>, changes: Changes) => withNew(kind, before, changes),
        }
      : {}),
  };
}

/** The page that follows a cursor. */
export function olderPage<Row>(
  client: ApiClient,
  kind: Kind<Row>,
  { filters, cursor }: { readonly filters: Filters; readonly cursor: string },
): Promise<Listing<Row>> {
  return kind.ask(client, { ...queryOf(filters), cursor });
}

/** What was lost; asked again and again, since the topics tell of rows alone. */
export const lostQuestion: Question<Lost> = {
  key: "lost",
  everyMs: LOST_MS,
  ask: (client) => client.ask(endpoints.listTraces, { query: { limit: "1" } }),
};

/** A live list with what has come, the newest first; undefined where it has grown so long that it is better read anew. */
export function withNew<Row>(
  kind: Kind<Row>,
  { rows, next }: Listing<Row>,
  changes: Changes,
): Listing<Row> | undefined {
  const changed = changes.changed as readonly Row[];
  if (rows.length + changed.length > LIVE_ROWS_MAX) return undefined;
  return { rows: newestFirst(kind, [...changed, ...rows]), next };
}

/** Rows without those that stand twice, of which the first is the newer, by time. */
export function newestFirst<Row>(kind: Kind<Row>, rows: readonly Row[]): Row[] {
  const byKey = new Map<string, Row>();
  for (const row of rows) if (!byKey.has(kind.keyOf(row))) byKey.set(kind.keyOf(row), row);
  return [...byKey.values()].toSorted((a, b) => kind.atOf(b) - kind.atOf(a));
}

/** What was lost, in words: `3 over the rate, 1 for want of space`; null where nothing was. */
export function droppedText(dropped: Readonly<Record<string, number>>): string | null {
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  return lost.length === 0 ? null : lost.map(([reason, count]) => `${count} ${WHY.get(reason) ?? reason}`).join(", ");
}

/** The reasons of `datawire_traces_dropped_total`, in words. */
const WHY = new Map([
  ["rate", "over the rate"],
  ["sample", "not sampled"],
  ["malformed", "malformed"],
  ["size", "for want of space"],
  ["disk", "for the disk was full or failed"],
  ["damaged", "in damaged files"],
  ["gone", "in files that were taken away"],
  ["forward", "on their way to the collector"],
  ["collector", "refused by the collector"],
]);

function queryOf(filters: Filters): Record<string, string> {
  const given = Object.entries(filters).filter(([, value]) => value !== "");
  return { ...(Object.fromEntries(given) as Record<string, string>), limit: String(PAGE_ROWS) };
}
