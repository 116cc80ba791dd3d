import type { EventRecord, Resource, SpanRecord } from "../model/records.ts";

/** The spans of one trace that came together, as a chunk keeps them: each with the number of its resource. */
export function writeChunk(spans: readonly SpanRecord[], numberOf: (resource: Resource) => number): string {
  return JSON.stringify(spans.map(({ resource, ...span }) => ({ ...span, resource: numberOf(resource) })));
}

/** The spans of a chunk. */
export function readChunk(data: string, resourceOf: (number: number) => Resource): SpanRecord[] {
  const spans = JSON.parse(data) as (Omit<SpanRecord, "resource"> & { readonly resource: number })[];
  return spans.map(({ resource, ...span }) => ({ ...span, resource: resourceOf(resource) }));
}

/** An event without its resource, as a row keeps it. */
export const writeEvent = ({ resource: _resource, ...event }: EventRecord): string => JSON.stringify(event);

/** The event of a row. */
export const readEvent = (data: string, resource: Resource): EventRecord => ({
  ...(JSON.parse(data) as Omit<EventRecord, "resource">),
  resource,
});

/** A resource as a row keeps it. */
export const writeResource = (resource: Resource): string => JSON.stringify(resource);

/** The resource of a row. */
export const readResource = (data: string): Resource => JSON.parse(data) as Resource;
