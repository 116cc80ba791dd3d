import { createHash } from "node:crypto";
import type { LogEvent, Span } from "@datawire/api";
import { byClock, byStart, shownEvent, shownSpan } from "../model/shown.ts";
import type { TraceQuestion } from "../query/questions.ts";
import { eventId } from "../query/positions.ts";
import type { HourFiles } from "../store/hour-files.ts";
import { partsOf, type TracePart } from "./find-traces.ts";
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

/** One trace, or that it is as whoever asks knows it. */
export type TraceRead =
  | { readonly state: "read"; readonly revision: string; readonly found: TraceFound }
  | { readonly state: "unchanged"; readonly revision: string };

/** Reads one trace, unless it still has a revision that is known; null where nothing is known of it. */
export async function readTrace(
  files: HourFiles,
  { tenant, self }: { readonly tenant: string; readonly self: string },
  { trace: key, known = [] }: Omit<TraceQuestion, "of">,
): Promise<TraceRead | null> {
  const slices = new Slices();
  const spans: Span[] = [];
  const events: LogEvent[] = [];
  const parts = partsOf(files, { tenant, key });
  const [first] = parts;
  if (first === undefined) return null;
  // Before anything is read: what comes meanwhile makes another one.
  const revision = revisionOf(parts, self);
  if (known.includes(revision)) return { state: "unchanged", revision };
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
  const all = parts.reduce((sum, { row }) => sum + row.summary.spans + row.summary.events, 0);
  const found = {
    traceId: first.row.summary.traceId,
    spans: spans.toSorted(byStart),
    events: events.toSorted(byClock),
    partial: spans.length + events.length < all,
  };
  return { state: "read", revision, found };
}

/** Another one with each record that comes, and with each file that goes: a file gets more records and loses none. */
function revisionOf(parts: readonly TracePart[], self: string): string {
  const counts = parts.map(({ file, row }) => [file.number, row.summary.spans, row.summary.events]);
  return createHash("sha256")
    .update(JSON.stringify([self, counts]))
    .digest("base64url")
    .slice(0, REVISION_LENGTH);
}

const REVISION_LENGTH = 22;

/** About what a record takes in an answer beyond its text. */
const sizeOf = ({
  attributes,
  resource,
}: {
  readonly attributes: object;
  readonly resource: { readonly attributes: object };
}) => 300 + 60 * (Object.keys(attributes).length + Object.keys(resource.attributes).length);
