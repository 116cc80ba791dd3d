import type { Span } from "@datawire/api";
import { useRef } from "react";
import { formatMs, plural } from "../../core/format.ts";
import { useReply } from "../../data/console.ts";
import { traceQuestion } from "../../data/trace.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { Messages } from "./messages.tsx";
import { Waterfall } from "./waterfall.tsx";

/** One request across all services: its spans on one line of time, and its messages in order. */
export function Trace({ traceId }: { readonly traceId: string }) {
  const reply = useReply(traceQuestion(traceId));
  const content = useRef<HTMLDivElement>(null);
  return (
    <Page
      title={`Trace ${traceId}`}
      actions={
        <button type="button" onClick={() => focusNextError(content.current)}>
          Next error
        </button>
      }
    >
      <Answered reply={reply}>
        {({ spans, events, partial }) => (
          <div ref={content}>
            <p className="summary">
              <span>{plural(spans.length, "span")}</span>
              <span>{plural(events.length, "message")}</span>
              <span>{formatMs(durationOf(spans))}</span>
              <span>{plural(new Set(spans.map(({ service }) => service)).size, "service")}</span>
            </p>
            {partial ? <p className="banner banner-warn">There may be more: not all of it could be read.</p> : null}
            <Section title="Spans">
              {spans.length === 0 ? <Empty title="No spans, only messages" /> : <Waterfall spans={spans} />}
            </Section>
            <Section title="Messages">
              {events.length === 0 ? <Empty title="No messages, only spans" /> : <Messages events={events} />}
            </Section>
          </div>
        )}
      </Answered>
    </Page>
  );
}

function durationOf(spans: readonly Span[]): number | null {
  if (spans.length === 0) return null;
  const from = Math.min(...spans.map(({ start }) => start));
  return Math.max(...spans.map(({ start, durationMs }) => start + durationMs)) - from;
}

/** Goes to the next row that failed, and after the last to the first. */
function focusNextError(content: HTMLElement | null): void {
  const failed = [...(content?.querySelectorAll<HTMLElement>("[data-failed]") ?? [])];
  const active = document.activeElement?.closest<HTMLElement>("[data-failed]") ?? null;
  const last = content?.dataset["lastError"] ?? "-1";
  const index = active === null ? Number(last) : failed.indexOf(active);
  const next = (index + 1) % Math.max(1, failed.length);
  if (content !== null) content.dataset["lastError"] = String(next);
  failed[next]?.focus();
  failed[next]?.scrollIntoView({ block: "center" });
}
