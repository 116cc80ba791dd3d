import { type Answer, endpoints } from "@datawire/api";
import { useMemo } from "react";
import { formatMs, formatRate, formatRatio } from "../core/format.ts";
import { useParam, useReply } from "../data/console.ts";
import type { Question } from "../data/entry.ts";
import { Answered, Empty } from "./answered.tsx";
import { Chart } from "./chart.tsx";
import { Section } from "./page.tsx";
import { Filter } from "./toolbar.tsx";

type Series = Answer<"series">;
type By = "version" | "instance" | "caller";

/** Which lines of a service's traffic are drawn. */
export interface ShownSeries {
  readonly by: By;
  /** What a line is called; null for one that is left out. */
  nameOf(key: string | null): string | null;
}

/** A minute is told in steps of five seconds, more in minutes. */
const RANGES = new Map([
  ["10m", "600"],
  ["1h", "3600"],
]);
const STANDARD = "60";
const EVERY_MS = 5_000;
const VERSIONS: readonly ShownSeries[] = [
  { by: "version", nameOf: (key) => (key === null || key === "" ? "no version" : key) },
];

function seriesQuestion(service: string, seconds: string, kinds: readonly By[]): Question<readonly Series[]> {
  return {
    key: `series/${service}/${seconds}/${kinds.join()}`,
    everyMs: EVERY_MS,
    ask: (client) => Promise.all(kinds.map((by) => client.ask(endpoints.series, { query: { service, by, seconds } }))),
  };
}

interface TrafficChartsProps {
  readonly service: string;
  readonly title?: string;
  /** Default: a line a version. */
  readonly shown?: readonly ShownSeries[];
}

/** The traffic of a service in the last minutes. */
export function TrafficCharts({ service, title = "Traffic by version", shown = VERSIONS }: TrafficChartsProps) {
  const [range] = useParam("range");
  const seconds = RANGES.get(range) ?? STANDARD;
  const kinds = shown.map(({ by }) => by).join();
  const question = useMemo(() => seriesQuestion(service, seconds, kinds.split(",") as By[]), [service, seconds, kinds]);
  return (
    <Section
      title={title}
      aside={<Filter label="Range" param="range" options={[...RANGES.keys()]} all="last minute" />}
    >
      <Answered reply={useReply(question)}>
        {(answers) => {
          const lines = answers.flatMap(({ series }, i) => namedLines(series, shown[i]));
          return lines.length === 0 ? (
            <Empty title="No requests in this time">Sherlocks and libraries count what goes to it.</Empty>
          ) : (
            <Charts stepMs={answers[0]?.stepMs ?? 1} lines={lines} />
          );
        }}
      </Answered>
    </Section>
  );
}

type Points = Series["series"][number]["points"];

interface NamedLine {
  readonly name: string;
  readonly points: Points;
}

function namedLines(series: Series["series"], shown: ShownSeries | undefined): NamedLine[] {
  return series.flatMap(({ key, points }) => {
    const name = shown?.nameOf(key) ?? null;
    return name === null ? [] : [{ name, points }];
  });
}

function Charts({ stepMs, lines }: { readonly stepMs: number; readonly lines: readonly NamedLine[] }) {
  const times = (lines[0]?.points ?? []).map(({ at }) => Date.parse(at));
  const of = (valueOf: (point: Points[number]) => number | null) =>
    lines.map(({ name, points }) => ({ name, values: points.map(valueOf) }));
  return (
    <div className="charts">
      <Chart
        kind="rate"
        title="Requests"
        times={times}
        format={formatRate}
        lines={of(({ requests }) => (requests === null ? null : requests / (stepMs / 1000)))}
      />
      <Chart
        kind="errors"
        title="Errors"
        times={times}
        format={formatRatio}
        least={0.01}
        lines={of(({ requests, errors }) =>
          requests === null || errors === null || requests === 0 ? null : Math.min(1, errors / requests),
        )}
      />
      <Chart kind="latency" title="Latency, p99" times={times} format={formatMs} lines={of(({ p99 }) => p99)} />
    </div>
  );
}
