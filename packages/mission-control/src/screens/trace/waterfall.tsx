import type { Span } from "@datawire/api";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { pathOf } from "../../core/address.ts";
import { formatMs } from "../../core/format.ts";
import { type Placed, placeSpans } from "../../core/waterfall.ts";
import { Link } from "../../parts/link.tsx";
import { Gap, uniqueKeys, useRowWindow } from "../../parts/row-window.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { useStickyHead } from "../../parts/sticky-head.ts";
import { type ProxiedRequest, proxiedRequest, spanKey } from "./data.ts";
import { ExplainDialog } from "./explain-dialog.tsx";
import { type Goal, useGoal } from "./goal.ts";

const HEADS = ["Service", "Name", "Start", "Duration", "Timeline", "Status", "Instance"];
const NUMBERS: ReadonlySet<string> = new Set(["Start", "Duration"]);
/** What is deeper is moved in no further: the name of a level stays in sight. */
const INDENTS_MAX = 16;

/** The spans of a trace as a tree on one line of time; left and right fold it, up and down go through it. */
export function Waterfall({ spans, goal }: { readonly spans: readonly Span[]; readonly goal: Goal }) {
  const placed = useMemo(() => placeSpans(spans), [spans]);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const [explained, setExplained] = useState<ProxiedRequest | null>(null);
  const from = Math.min(...spans.map(({ start }) => start));
  const open = useMemo(() => withoutFolded(placed, folded), [placed, folded]);
  const body = useRef<HTMLTableSectionElement>(null);
  useStickyHead(body);
  const { shown, first, before, after, reveal } = useRowWindow(open, body);
  const ids = uniqueKeys(shown, ({ span }) => span.spanId);
  const entry = current !== null && ids.includes(current) ? current : ids[0];
  const keyOf = ({ span }: Placed<Span>): string => spanKey(span);
  const unfold = (key: string): void => {
    if (placed.some((each) => keyOf(each) === key)) setFolded(new Set());
  };
  useGoal(goal, { rows: open, keyOf, body, reveal, unfold });
  const fold = (spanId: string, isFolded: boolean): void => {
    const next = new Set(folded);
    if (isFolded) next.add(spanId);
    else next.delete(spanId);
    setFolded(next);
  };
  return (
    <div className="table-frame">
      <table
        className="table"
        role="treegrid"
        data-testid="waterfall"
        aria-label="Spans of this trace"
        aria-rowcount={open.length + 1}
      >
        <thead>
          <tr>
            {HEADS.map((title) => (
              <th key={title} scope="col" className={NUMBERS.has(title) ? "plain-head number" : "plain-head"}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Gap height={before} span={HEADS.length} />
          {shown.map((each, i) => (
            <SpanRow
              key={ids[i]}
              placed={each}
              from={from}
              index={first + i + 2}
              isFolded={folded.has(each.span.spanId)}
              isEntry={ids[i] === entry}
              onEnter={() => setCurrent(ids[i] ?? null)}
              onFold={(isFolded) => fold(each.span.spanId, isFolded)}
              onExplain={setExplained}
            />
          ))}
          <Gap height={after} span={HEADS.length} />
        </tbody>
      </table>
      {explained === null ? null : <ExplainDialog request={explained} onClose={() => setExplained(null)} />}
    </div>
  );
}

interface SpanRowProps {
  readonly placed: Placed<Span>;
  /** When the trace began, in ms of the epoch. */
  readonly from: number;
  /** Of the row among all of the table, the head being 1. */
  readonly index: number;
  readonly isFolded: boolean;
  /** Whether it is where one comes to by Tab. */
  readonly isEntry: boolean;
  readonly onEnter: () => void;
  readonly onFold: (isFolded: boolean) => void;
  readonly onExplain: (request: ProxiedRequest) => void;
}

function SpanRow({ placed, from, index, isFolded, isEntry, onEnter, onFold, onExplain }: SpanRowProps) {
  const { span, level, children } = placed;
  const onKey = (event: KeyboardEvent<HTMLTableRowElement>): void => {
    if (event.target !== event.currentTarget) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      focusRow(event.currentTarget, step);
    } else if (children > 0 && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      onFold(event.key === "ArrowLeft");
    }
  };
  return (
    <tr
      data-testid="row"
      data-key={span.spanId}
      aria-rowindex={index}
      aria-level={level}
      aria-expanded={children === 0 ? undefined : !isFolded}
      tabIndex={isEntry ? 0 : -1}
      onFocus={onEnter}
      onKeyDown={onKey}
    >
      <td data-col="service" data-value={span.service ?? undefined}>
        <span className="tree" style={{ paddingInlineStart: Math.min(level - 1, INDENTS_MAX) * 16 }}>
          <Fold placed={placed} isFolded={isFolded} onFold={onFold} />
          <span className="clipped" title={span.service ?? undefined}>
            {span.service ?? "–"}
          </span>
        </span>
      </td>
      <td data-col="name" data-value={span.name} title={span.message ?? span.name}>
        <span className="clipped">{span.name}</span>
      </td>
      <td data-col="start" data-value={span.start - from} className="number">
        {formatMs(span.start - from)}
      </td>
      <td data-col="duration" data-value={span.durationMs} className="number">
        {formatMs(span.durationMs)}
      </td>
      <td className="timeline">
        <Bar placed={placed} />
      </td>
      <td data-col="status" data-value={span.status}>
        <StateMark state={span.status} />
      </td>
      <td data-col="instance" data-value={span.instance ?? undefined}>
        <Instance span={span} />
        <Explain span={span} onExplain={onExplain} />
      </td>
    </tr>
  );
}

/** Goes so many rows on from this one, where there is one. */
function focusRow(row: HTMLTableRowElement, step: number): void {
  const rows = [...(row.parentElement?.querySelectorAll<HTMLElement>("tr[data-key]") ?? [])];
  rows[rows.indexOf(row) + step]?.focus();
}

/** Shows or hides the spans below one that has some. */
function Fold({ placed, isFolded, onFold }: Pick<SpanRowProps, "placed" | "isFolded" | "onFold">) {
  if (placed.children === 0) {
    return (
      <span className="tree-leaf" aria-hidden="true">
        ·
      </span>
    );
  }
  return (
    <button
      type="button"
      className="fold-button"
      tabIndex={-1}
      aria-label={isFolded ? "Unfold" : "Fold"}
      onClick={() => onFold(!isFolded)}
    >
      <span aria-hidden="true">{isFolded ? "▸" : "▾"}</span>
    </button>
  );
}

function Instance({ span: { service, instance } }: { readonly span: Span }) {
  if (instance === null || service === null) return instance ?? "–";
  return (
    <Link to={pathOf("services", service)} search="tab=instances">
      <span className="clipped" title={instance}>
        {instance}
      </span>
    </Link>
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
