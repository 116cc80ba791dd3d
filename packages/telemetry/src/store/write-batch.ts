import { rankOf } from "../model/levels.ts";
import { type EventRecord, type Records, type Resource, type SpanRecord, traceKey } from "../model/records.ts";
import { mergeSummaries, summarise } from "../model/summary.ts";
import { IndexWords } from "../query/index-words.ts";
import type { HourFile, Statements } from "./hour-file.ts";
import { readSummary, writeChunk, writeEvent, writeResource, writeSummary } from "./rows.ts";

/** What came of one tenant, whose name is empty for those who belong to none. */
export interface TenantRecords extends Records {
  readonly tenant: string;
}

/** Writes records as a whole; they are on the disk once it returns. @throws TracesFault, and nothing was written. */
export function writeBatch(file: HourFile, batch: readonly TenantRecords[]): void {
  file.transaction((statements) => {
    const numberOf = resourceNumbers(statements);
    for (const { tenant, traces, loose } of byTenant(batch)) {
      for (const [key, records] of traces) {
        writeTrace(statements, { tenant, key, records, numberOf });
        file.noteTrace(key);
      }
      for (const event of loose) writeOne(statements, { tenant, trace: null, event, numberOf });
    }
    const came = batch.reduce((sum, { spans, events }) => sum + spans.length + events.length, 0);
    statements.of("UPDATE totals SET records = records + ?").run(came);
  });
}

interface Gathered {
  readonly tenant: string;
  readonly traces: ReadonlyMap<string, { readonly spans: SpanRecord[]; readonly events: EventRecord[] }>;
  /** Events of no trace. */
  readonly loose: readonly EventRecord[];
}

function byTenant(batch: readonly TenantRecords[]): Gathered[] {
  const tenants = Map.groupBy(batch, ({ tenant }) => tenant);
  return [...tenants].map(([tenant, parts]) => {
    const traces = new Map<string, { readonly spans: SpanRecord[]; readonly events: EventRecord[] }>();
    const loose: EventRecord[] = [];
    const recordsOf = (traceId: string) => {
      const key = traceKey(traceId);
      let records = traces.get(key);
      if (records === undefined) traces.set(key, (records = { spans: [], events: [] }));
      return records;
    };
    for (const { spans, events } of parts) {
      for (const span of spans) recordsOf(span.traceId).spans.push(span);
      for (const event of events) (event.traceId === null ? loose : recordsOf(event.traceId).events).push(event);
    }
    return { tenant, traces, loose };
  });
}

type NumberOf = (resource: Resource) => number;

interface TraceWrite {
  readonly tenant: string;
  readonly key: string;
  readonly records: Records;
  readonly numberOf: NumberOf;
}

function writeTrace(statements: Statements, { tenant, key, records, numberOf }: TraceWrite): void {
  const { spans, events } = records;
  const trace = putSummary(statements, { tenant, key, records });
  if (spans.length > 0) {
    const data = writeChunk(spans, numberOf);
    const { lastInsertRowid } = statements.of("INSERT INTO chunks (trace, data) VALUES (?, ?)").run(trace, data);
    const words = new IndexWords();
    for (const span of spans) words.span(span);
    statements.of("INSERT INTO chunk_words (rowid, words) VALUES (?, ?)").run(lastInsertRowid, words.toString());
  }
  for (const event of events) writeOne(statements, { tenant, trace, event, numberOf });
}

function putSummary(
  statements: Statements,
  { tenant, key, records }: Pick<TraceWrite, "tenant" | "key" | "records">,
): number {
  const traceId = records.spans[0]?.traceId ?? records.events[0]?.traceId ?? key;
  const came = summarise(traceId, records);
  const before = statements.of("SELECT id, data FROM traces WHERE tenant = ? AND key = ?").get(tenant, key);
  if (before === undefined) {
    const { lastInsertRowid } = statements
      .of("INSERT INTO traces (tenant, key, last, data) VALUES (?, ?, ?, ?)")
      .run(tenant, key, came.lastMs, writeSummary(came));
    return Number(lastInsertRowid);
  }
  const id = Number(before["id"]);
  const all = mergeSummaries(readSummary(String(before["data"])), came);
  statements.of("UPDATE traces SET last = ?, data = ? WHERE id = ?").run(all.lastMs, writeSummary(all), id);
  return id;
}

interface EventWrite {
  readonly tenant: string;
  readonly trace: number | null;
  readonly event: EventRecord;
  readonly numberOf: NumberOf;
}

function writeOne(statements: Statements, { tenant, trace, event, numberOf }: EventWrite): void {
  const { lastInsertRowid } = statements
    .of("INSERT INTO events (tenant, trace, level, at, resource, data) VALUES (?, ?, ?, ?, ?, ?)")
    .run(tenant, trace, rankOf(event.level), event.timestamp, numberOf(event.resource), writeEvent(event));
  const words = new IndexWords();
  words.event(event);
  statements.of("INSERT INTO event_words (rowid, words) VALUES (?, ?)").run(lastInsertRowid, words.toString());
}

/** Gives each resource its number in the file, and a new one a row there. */
function resourceNumbers(statements: Statements): NumberOf {
  const numbers = new Map<Resource, number>();
  return (resource) => {
    const known = numbers.get(resource);
    if (known !== undefined) return known;
    const data = writeResource(resource);
    const there = statements.of("SELECT id FROM resources WHERE data = ?").get(data)?.["id"];
    const number = there ?? statements.of("INSERT INTO resources (data) VALUES (?)").run(data).lastInsertRowid;
    numbers.set(resource, Number(number));
    return Number(number);
  };
}
