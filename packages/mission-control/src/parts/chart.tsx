import { useState } from "react";
import { axisMax, type Line, linePath } from "../core/chart.ts";

interface ChartProps {
  /** Goes into `data-key`. */
  readonly kind: "rate" | "errors" | "latency";
  readonly title: string;
  readonly lines: readonly Line[];
  /** Milliseconds since 1970 of each value. */
  readonly times: readonly number[];
  readonly format: (value: number | null) => string;
}

const SIZE = { width: 480, height: 120 };

/** Lines over time, and the same as a table. */
export function Chart({ kind, title, lines, times, format }: ChartProps) {
  const [isTable, setIsTable] = useState(false);
  const max = axisMax(lines);
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
        <>
          <svg
            viewBox={`0 -4 ${SIZE.width} ${SIZE.height + 8}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={spoken(title, lines, format)}
          >
            <line className="chart-axis" x1="0" x2={SIZE.width} y1={SIZE.height} y2={SIZE.height} />
            <line className="chart-grid" x1="0" x2={SIZE.width} y1="0" y2="0" />
            {lines.map(({ name, values }, i) => (
              <path key={name} className={`line line-${(i % 5) + 1}`} d={linePath(values, { ...SIZE, max })} />
            ))}
          </svg>
          <div className="legend">
            <span className="quiet">up to {format(max)}</span>
            {lines.map(({ name, values }, i) => (
              <span key={name}>
                <span aria-hidden="true" className={`swatch swatch-${(i % 5) + 1}`} /> {name}{" "}
                <span className="quiet">{format(values.at(-1) ?? null)}</span>
              </span>
            ))}
          </div>
        </>
      )}
    </figure>
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
