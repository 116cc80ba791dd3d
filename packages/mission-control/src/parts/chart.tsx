import { type PointerEvent, useState } from "react";
import { axisMax, type Line, linePath, momentAt } from "../core/chart.ts";
import { Ago } from "./ago.tsx";

interface ChartProps {
  /** Goes into `data-key`. */
  readonly kind: "rate" | "errors" | "latency";
  readonly title: string;
  readonly lines: readonly Line[];
  /** Milliseconds since 1970 of each value. */
  readonly times: readonly number[];
  readonly format: (value: number | null) => string;
  /** What its axis reaches at least; default 1. */
  readonly least?: number;
}

const SIZE = { width: 480, height: 120 };

/** Lines over time, whose values are read where the pointer is, and the same as a table. */
export function Chart({ kind, title, lines, times, format, least }: ChartProps) {
  const [isTable, setIsTable] = useState(false);
  return (
    <figure className="chart" data-testid="chart" data-key={kind} data-series={lines.length}>
      <figcaption className="section-head">
        <h3>{title}</h3>
        <button type="button" aria-pressed={isTable} onClick={() => setIsTable(!isTable)}>
          Show as table
        </button>
      </figcaption>
      {isTable ? (
        <ChartTable {...{ title, lines, times, format }} />
      ) : (
        <Plot {...{ title, lines, times, format, least }} />
      )}
    </figure>
  );
}

function Plot({
  title,
  lines,
  times,
  format,
  least,
}: Omit<ChartProps, "kind" | "least"> & { readonly least: number | undefined }) {
  const [pointed, setPointed] = useState<number | null>(null);
  const max = axisMax(lines, least);
  const follow = ({ currentTarget, clientX }: PointerEvent<HTMLElement>): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setPointed(momentAt((clientX - left) / Math.max(1, width), times.length));
  };
  const shown = Math.min(pointed ?? times.length - 1, times.length - 1);
  const [first, at] = [times[0], times[shown]];
  const x = times.length > 1 ? (shown / (times.length - 1)) * SIZE.width : 0;
  return (
    <>
      <div className="plot" onPointerMove={follow} onPointerLeave={() => setPointed(null)}>
        <span className="plot-top" aria-hidden="true">
          {format(max)}
        </span>
        <svg
          viewBox={`0 -4 ${SIZE.width} ${SIZE.height + 8}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={spoken(title, lines, format)}
        >
          <line className="chart-axis" x1="0" x2={SIZE.width} y1={SIZE.height} y2={SIZE.height} />
          {[0, 0.5].map((part) => (
            <line
              key={part}
              className="chart-grid"
              x1="0"
              x2={SIZE.width}
              y1={part * SIZE.height}
              y2={part * SIZE.height}
            />
          ))}
          {pointed === null ? null : <line className="chart-pointed" x1={x} x2={x} y1="0" y2={SIZE.height} />}
          {lines.map(({ name, values }, i) => (
            <path key={name} className={`line line-${(i % 5) + 1}`} d={linePath(values, { ...SIZE, max })} />
          ))}
        </svg>
      </div>
      <div className="plot-times quiet" aria-hidden="true">
        <span>{first === undefined ? null : <Ago at={first} />}</span>
        <span>{at === undefined ? null : <Ago at={at} />}</span>
      </div>
      <div className="legend">
        {lines.map(({ name, values }, i) => (
          <span key={name}>
            <span aria-hidden="true" className={`swatch swatch-${(i % 5) + 1}`} /> {name}{" "}
            <strong>{format(values[shown] ?? null)}</strong>
          </span>
        ))}
      </div>
    </>
  );
}

function ChartTable({ title, lines, times, format }: Omit<ChartProps, "kind">) {
  return (
    <div className="table-frame chart-table" role="region" aria-label={`${title}, as a table`} tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col" className="plain-head">
              Time
            </th>
            {lines.map(({ name }) => (
              <th key={name} scope="col" className="plain-head number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times
            .map((at, i) => (
              <tr key={at}>
                <td>
                  <time dateTime={new Date(at).toISOString()}>{new Date(at).toISOString().slice(11, 19)}</time>
                </td>
                {lines.map(({ name, values }) => (
                  <td key={name} className="number">
                    {format(values[i] ?? null)}
                  </td>
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}

function spoken(title: string, lines: readonly Line[], format: ChartProps["format"]): string {
  return `${title}: ${lines.map(({ name, values }) => `${name} ${format(values.at(-1) ?? null)} now`).join(", ")}`;
}
