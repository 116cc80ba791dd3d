import type { LogEvent, Span } from "@datawire/api";
import { byClock, byStart, shownEvent, shownSpan } from "../model/shown.ts";
import { eventId } from "../query/positions.ts";
import type { HourFiles } from "../store/hour-files.ts";
import { partsOf } from "./find-traces.ts";
import { Slices } from "./slices.ts";

/** What one directory has of a trace. */
export interface TraceFound {
  /** As it was sent first. */
  readonly traceId: string;
  readonly spans: readonly Span[];
  readonly events: readonly LogEvent[];
  readonly partial: boolean;
}

/** Of a longer trace this is the first part. */
const TRACE_RECORDS_MAX = 10_000;
const TRACE_TEXT_MAX = 16 * 1024 * 1024;

/** Reads one trace; null where nothing is known of it. */
export async function readTrace(
  files: HourFiles,
  { tenant, self }: { readonly tenant: string; readonly self: string },
  key: string,
): Promise<TraceFound | null> {
  const slices = new Slices();
  const spans: Span[] = [];
  const events: LogEvent[] = [];
  const parts = partsOf(files, { tenant, key });
  const [first] = parts;
  if (first === undefined) return null;
  let left = TRACE_TEXT_MAX;
  for (const { file, row } of parts) {
    files.reading(
      file,
      () => {
        for (const chunk of file.spansOf(row.id)) {
          for (const span of chunk) {
            if (spans.length >= TRACE_RECORDS_MAX || left < 0) return;
            left -= sizeOf(span);
            spans.push(shownSpan(span));
          }
        }
      },
      undefined,
    );
    const rows = files.reading(file, () => file.eventsOf(row.id, TRACE_RECORDS_MAX - events.length), []);
    for (const { id, event } of rows) {
      left -= event.text.length + sizeOf(event);
      if (left < 0) break;
      events.push(shownEvent(event, eventId(self, file.number, id)));
    }
    await slices.turn();
  }
  const known = parts.reduce((sum, { row }) => sum + row.summary.spans + row.summary.events, 0);
  return {
    traceId: first.row.summary.traceId,
    spans: spans.toSorted(byStart),
    events: events.toSorted(byClock),
    partial: spans.length + events.length < known,
  };
}

/** About what a record takes in an answer beyond its text. */
const sizeOf = ({
  attributes,
  resource,
}: {
  readonly attributes: object;
  readonly resource: { readonly attributes: object };
}) => 300 + 60 * (Object.keys(attributes).length + Object.keys(resource.attributes).length);
