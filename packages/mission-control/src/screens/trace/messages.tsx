import type { LogEvent } from "@datawire/api";
import { useLayoutEffect, useRef } from "react";
import { cellClass } from "../../core/cell-class.ts";
import { pathOf } from "../../core/address.ts";
import { Link } from "../../parts/link.tsx";
import { Gap, useRowWindow } from "../../parts/row-window.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { useStickyHead } from "../../parts/sticky-head.ts";
import { messageKey } from "./data.ts";
import { type Goal, useGoal } from "./goal.ts";

const HEADS = ["Time", "Level", "Service", "Text"];

/** The messages of a trace, in their order. */
export function Messages({ events, goal }: { readonly events: readonly LogEvent[]; readonly goal: Goal }) {
  const body = useRef<HTMLTableSectionElement>(null);
  useStickyHead(body);
  const { shown, first, before, after, sized, reveal } = useRowWindow(events, body);
  useGoal(goal, { rows: events, keyOf: messageKey, body, reveal });
  // Long texts take several lines: how high each row is, is known once it is drawn.
  useLayoutEffect(() => {
    for (const [i, row] of [...(body.current?.querySelectorAll<HTMLElement>("tr[data-key]") ?? [])].entries()) {
      const event = shown[i];
      if (event !== undefined) sized?.(event, row.offsetHeight);
    }
  });
  return (
    <div className="table-frame" role="region" aria-label="Messages of this trace" tabIndex={0}>
      <table className="table" aria-rowcount={events.length + 1}>
        <thead>
          <tr>
            {HEADS.map((title) => (
              <th key={title} scope="col" className="plain-head">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          <Gap height={before} span={HEADS.length} />
          {shown.map(({ id, timestamp, level, service, node, text }, i) => (
            <tr key={id} data-testid="row" data-key={id} tabIndex={-1} aria-rowindex={first + i + 2}>
              <td data-col="time" data-value={timestamp}>
                <time dateTime={new Date(timestamp).toISOString()}>
                  {new Date(timestamp).toISOString().slice(11, 23)}
                </time>
              </td>
              <td data-col="level" data-value={level}>
                <StateMark state={level} />
              </td>
              <td data-col="service" data-value={service ?? node} className={cellClass(service ?? node)}>
                {service === null ? node : <Link to={pathOf("services", service)}>{service}</Link>}
              </td>
              <td data-col="text" data-value={text}>
                {text}
              </td>
            </tr>
          ))}
          <Gap height={after} span={HEADS.length} />
        </tbody>
      </table>
    </div>
  );
}
