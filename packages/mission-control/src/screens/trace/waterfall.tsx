import type { Span } from "@datawire/api";
import { type KeyboardEvent, useMemo, useState } from "react";
import { pathOf } from "../../core/address.ts";
import { formatMs } from "../../core/format.ts";
import { type Placed, placeSpans } from "../../core/waterfall.ts";
import { Link } from "../../parts/link.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type ProxiedRequest, proxiedRequest } from "./data.ts";
import { ExplainDialog } from "./explain-dialog.tsx";

const HEADS = ["Service", "Name", "Start", "Duration", "Timeline", "Status", "Instance"];

/** The spans of a trace as a tree on one line of time; left and right fold it, up and down go through it. */
export function Waterfall({ spans }: { readonly spans: readonly Span[] }) {
  const placed = useMemo(() => placeSpans(spans), [spans]);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const [explained, setExplained] = useState<ProxiedRequest | null>(null);
  const from = Math.min(...spans.map(({ start }) => start));
  const shown = withoutFolded(placed, folded);
  const fold = (spanId: string, isFolded: boolean): void => {
    const next = new Set(folded);
    if (isFolded) next.add(spanId);
    else next.delete(spanId);
    setFolded(next);
  };
  const onKey = (event: KeyboardEvent<HTMLTableRowElement>, { span, children }: Placed<Span>): void => {
    if (event.target !== event.currentTarget) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const rows = [...(event.currentTarget.parentElement?.querySelectorAll("tr") ?? [])];
      rows[rows.indexOf(event.currentTarget) + step]?.focus();
    } else if (children > 0 && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      fold(span.spanId, event.key === "ArrowLeft");
    }
  };
  return (
    <div className="table-frame">
      <table className="table" role="treegrid" data-testid="waterfall" aria-label="Spans of this trace">
        <thead>
          <tr>
            {HEADS.map((title) => (
              <th key={title} scope="col" className="plain-head">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((each, i) => {
            const { span, level, children } = each;
            const isFolded = folded.has(span.spanId);
            return (
              <tr
                key={span.spanId}
                data-testid="row"
                data-key={span.spanId}
                data-failed={span.status === "error" ? "" : undefined}
                aria-level={level}
                aria-expanded={children === 0 ? undefined : !isFolded}
                tabIndex={current === span.spanId || (current === null && i === 0) ? 0 : -1}
                onFocus={() => setCurrent(span.spanId)}
                onKeyDown={(event) => onKey(event, each)}
              >
                <td data-col="service" data-value={span.service ?? undefined}>
                  <span className="tree" style={{ paddingInlineStart: (level - 1) * 16 }}>
                    {children === 0 ? (
                      <span className="tree-leaf" aria-hidden="true">
                        ·
                      </span>
                    ) : (
                      <button
                        type="button"
                        className="fold-button"
                        tabIndex={-1}
                        aria-label={isFolded ? "Unfold" : "Fold"}
                        onClick={() => fold(span.spanId, !isFolded)}
                      >
                        <span aria-hidden="true">{isFolded ? "▸" : "▾"}</span>
                      </button>
                    )}
                    {span.service ?? "–"}
                  </span>
                </td>
                <td data-col="name" data-value={span.name} title={span.message ?? undefined}>
                  {span.name}
                </td>
                <td data-col="start" data-value={span.start - from} className="number">
                  {formatMs(span.start - from)}
                </td>
                <td data-col="duration" data-value={span.durationMs} className="number">
                  {formatMs(span.durationMs)}
                </td>
                <td className="timeline">
                  <Bar placed={each} />
                </td>
                <td data-col="status" data-value={span.status}>
                  <StateMark state={span.status} />
                </td>
                <td data-col="instance" data-value={span.instance ?? undefined}>
                  {span.instance === null || span.service === null ? (
                    (span.instance ?? "–")
                  ) : (
                    <Link to={pathOf("services", span.service)} search="tab=instances">
                      {span.instance}
                    </Link>
                  )}
                  <Explain span={span} onExplain={setExplained} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {explained === null ? null : <ExplainDialog request={explained} onClose={() => setExplained(null)} />}
    </div>
  );
}

/** Of a request that a proxy led somewhere: why there. */
function Explain({ span, onExplain }: { readonly span: Span; readonly onExplain: (request: ProxiedRequest) => void }) {
  const request = proxiedRequest(span);
  if (request === null) return null;
  return (
    <button type="button" className="small-button" onClick={() => onExplain(request)}>
      Explain
    </button>
  );
}

function Bar({ placed: { span, left, width } }: { readonly placed: Placed<Span> }) {
  return (
    <span className="span-track" aria-hidden="true">
      <span
        className={span.status === "error" ? "span-bar span-failed" : "span-bar"}
        style={{ insetInlineStart: `${left}%`, width: `max(2px, ${width}%)` }}
      />
    </span>
  );
}

function withoutFolded(placed: readonly Placed<Span>[], folded: ReadonlySet<string>): Placed<Span>[] {
  let hiddenBelow = Number.POSITIVE_INFINITY;
  return placed.filter(({ span, level }) => {
    if (level > hiddenBelow) return false;
    hiddenBelow = folded.has(span.spanId) ? level : Number.POSITIVE_INFINITY;
    return true;
  });
}
