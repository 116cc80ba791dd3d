import type { LogEvent, Span } from "@datawire/api";
import { useMemo, useState } from "react";
import { formatMs, plural } from "../../core/format.ts";
import { useConsole, useReply } from "../../data/console.ts";
import { traceQuestion } from "../../data/trace.ts";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { failuresOf } from "./data.ts";
import type { Goal } from "./goal.ts";
import { Messages } from "./messages.tsx";
import { Waterfall } from "./waterfall.tsx";

/** One request across all services: its spans on one line of time, and its messages in order. */
export function Trace({ traceId }: { readonly traceId: string }) {
  const { live } = useConsole();
  const reply = useReply(traceQuestion(traceId));
  const [goal, setGoal] = useState<Goal>(null);
  const failures = useMemo(() => (reply.data === null ? [] : failuresOf(reply.data)), [reply.data]);
  const isClean = failures.length === 0;
  /** Goes to the next row that failed, and after the last to the first. */
  const next = (): void => {
    const nth = goal === null ? 0 : (goal.nth + 1) % Math.max(1, failures.length);
    const key = failures[nth];
    if (key !== undefined) setGoal({ key, nth });
  };
  return (
    <Page
      title={`Trace ${traceId}`}
      actions={
        <>
          <button type="button" title="Look whether it has more by now" onClick={() => live.refresh()}>
            Refresh
          </button>
          <button
            type="button"
            aria-disabled={isClean || undefined}
            title={isClean ? (reply.data === null ? "Nothing is known of it" : "Nothing failed in it") : undefined}
            onClick={next}
          >
            Next error
          </button>
        </>
      }
    >
      <Answered reply={reply}>
        {({ spans, events, partial }) => (
          <div>
            <p className="summary">
              {spans.length + events.length === 0 ? null : (
                <span>
                  <span className="quiet">began</span> <Ago at={extentOf(spans, events).from} />
                </span>
              )}
              <span>{plural(spans.length, "span")}</span>
              <span>{plural(events.length, "message")}</span>
              <span>{formatMs(extentOf(spans, events).to - extentOf(spans, events).from)}</span>
              <span>{plural(servicesOf(spans, events), "service")}</span>
            </p>
            {partial ? <p className="banner banner-warn">There may be more: not all of it could be read.</p> : null}
            <Section title="Spans">
              {spans.length === 0 ? <Empty title="No spans, only messages" /> : <Waterfall spans={spans} goal={goal} />}
            </Section>
            <Section title="Messages">
              {events.length === 0 ? (
                <Empty title="No messages, only spans" />
              ) : (
                <Messages events={events} goal={goal} />
              )}
            </Section>
          </div>
        )}
      </Answered>
    </Page>
  );
}

/** From the first that is known of it to the last, as lists of traces have it. */
function extentOf(spans: readonly Span[], events: readonly LogEvent[]): { readonly from: number; readonly to: number } {
  const moments = events.map(({ timestamp }) => timestamp);
  return {
    from: Math.min(...spans.map(({ start }) => start), ...moments),
    to: Math.max(...spans.map(({ start, durationMs }) => start + durationMs), ...moments),
  };
}

function servicesOf(spans: readonly Span[], events: readonly LogEvent[]): number {
  const named = [...spans, ...events].flatMap(({ service }) => service ?? []);
  return new Set(named).size;
}
