import type { EventRecord, Resource, SpanRecord } from "../model/records.ts";
import type { Summary } from "../model/summary.ts";
import { TracesFault } from "./faults.ts";

/** The spans of one trace that came together, as a chunk keeps them: each with the number of its resource. */
export function writeChunk(spans: readonly SpanRecord[], numberOf: (resource: Resource) => number): string {
  return JSON.stringify(spans.map(({ resource, ...span }) => ({ ...span, resource: numberOf(resource) })));
}

/** The spans of a chunk. @throws TracesFault */
export function readChunk(data: string, resourceOf: (number: number) => Resource): SpanRecord[] {
  const spans = read(data) as (Omit<SpanRecord, "resource"> & { readonly resource: number })[];
  return spans.map(({ resource, ...span }) => ({ ...span, resource: resourceOf(resource) }));
}

/** An event without its resource, as a row keeps it. */
export const writeEvent = ({ resource: _resource, ...event }: EventRecord): string => JSON.stringify(event);

/** The event of a row. @throws TracesFault */
export const readEvent = (data: string, resource: Resource): EventRecord => ({
  ...(read(data) as Omit<EventRecord, "resource">),
  resource,
});

/** A resource as a row keeps it. */
export const writeResource = (resource: Resource): string => JSON.stringify(resource);

/** The resource of a row. @throws TracesFault */
export const readResource = (data: string): Resource => read(data) as Resource;

/** The summary of a trace as a row keeps it. */
export const writeSummary = (summary: Summary): string => JSON.stringify(summary);

/** The summary of a row. @throws TracesFault */
export const readSummary = (data: string): Summary => read(data) as Summary;

/** What a row keeps. SQLite has no checksums: what was changed on the disk may be found here first. */
function read(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new TracesFault("damaged", "Cannot read a row: it holds something else than was written", { cause });
  }
}
