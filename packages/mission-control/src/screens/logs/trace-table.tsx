import type { TraceSummary } from "@datawire/api";
import { useEffect, useMemo, useRef, useState } from "react";
import { pathOf } from "../../core/address.ts";
import { formatMs } from "../../core/format.ts";
import { useConsole, useReply } from "../../data/console.ts";
import { traceQuestion } from "../../data/trace.ts";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Column, Table } from "../../parts/table.tsx";

/** Traces in rows that unfold to their messages. */
export function TraceTable({ traces }: { readonly traces: readonly TraceSummary[] }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const columns = useMemo(() => columnsOf(open, setOpen), [open]);
  return (
    <Table
      label="Traces"
      rows={traces}
      columns={columns}
      keyOf={({ traceId }) => traceId}
      detail={({ traceId, spans, events }) =>
        open.has(traceId) ? <Unfolded traceId={traceId} size={spans + events} /> : null
      }
    />
  );
}

function columnsOf(
  open: ReadonlySet<string>,
  setOpen: (open: ReadonlySet<string>) => void,
): readonly Column<TraceSummary>[] {
  const toggle = (traceId: string): void => {
    const next = new Set(open);
    if (!next.delete(traceId)) next.add(traceId);
    setOpen(next);
  };
  return [
    {
      key: "time",
      title: "Time",
      value: ({ firstMs }) => firstMs,
      show: ({ traceId, firstMs }) => (
        <span className="fold">
          <button
            type="button"
            className="fold-button"
            aria-expanded={open.has(traceId)}
            aria-label={`Messages of ${traceId}`}
            onClick={() => toggle(traceId)}
          >
            <span aria-hidden="true">{open.has(traceId) ? "▾" : "▸"}</span>
          </button>
          <Ago at={firstMs} />
        </span>
      ),
    },
    { key: "service", title: "Service", value: ({ service }) => service },
    {
      key: "name",
      title: "Name",
      value: ({ name }) => name,
      show: ({ traceId, name }) => <Link to={pathOf("traces", traceId)}>{name ?? traceId}</Link>,
    },
    { key: "spans", title: "Spans", isNumber: true, value: ({ spans }) => spans },
    {
      key: "errors",
      title: "Errors",
      isNumber: true,
      value: ({ errors }) => errors,
      show: ({ errors }) => <span className={errors > 0 ? "text-bad" : undefined}>{errors}</span>,
    },
    {
      key: "duration",
      title: "Duration",
      isNumber: true,
      value: ({ durationMs }) => durationMs,
      show: ({ durationMs }) => formatMs(durationMs),
    },
  ];
}

/** So many are shown within the list; the page of the trace has all. */
const UNFOLDED_MAX = 100;

function Unfolded({ traceId, size }: { readonly traceId: string; readonly size: number }) {
  const { live } = useConsole();
  const question = traceQuestion(traceId);
  const seen = useRef(size);
  // The list is told of what it gains, also long after it was quiet.
  useEffect(() => {
    if (seen.current === size) return;
    seen.current = size;
    live.entry(traceQuestion(traceId)).refresh();
  }, [live, traceId, size]);
  return (
    <Answered reply={useReply(question)}>
      {({ events }) =>
        events.length === 0 ? (
          <Empty title="No messages, only spans" />
        ) : (
          <ul className="messages">
            {events.slice(0, UNFOLDED_MAX).map(({ id, timestamp, level, service, node, text }) => (
              <li key={id} data-testid="row" data-key={id}>
                <span data-col="time" data-value={timestamp} className="quiet">
                  <Ago at={timestamp} />
                </span>
                <span data-col="level" data-value={level}>
                  <StateMark state={level} />
                </span>
                <span data-col="service" data-value={service ?? node}>
                  {service ?? node}
                </span>
                <span data-col="text" data-value={text} className="wrap">
                  {text}
                </span>
              </li>
            ))}
            {events.length <= UNFOLDED_MAX ? null : (
              <li className="messages-more">
                <Link to={pathOf("traces", traceId)}>All {events.length} messages</Link>
              </li>
            )}
          </ul>
        )
      }
    </Answered>
  );
}
