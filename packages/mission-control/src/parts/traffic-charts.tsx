import { type Answer, endpoints } from "@datawire/api";
import { useMemo } from "react";
import { formatMs, formatRate, formatRatio } from "../core/format.ts";
import { useParam, useReply } from "../data/console.ts";
import type { Question } from "../data/live.ts";
import { Answered, Empty } from "./answered.tsx";
import { Chart } from "./chart.tsx";
import { Section } from "./page.tsx";
import { Filter } from "./toolbar.tsx";

type Series = Answer<"series">;

/** A minute is told in steps of five seconds, more in minutes. */
const RANGES = new Map([
  ["10m", "600"],
  ["1h", "3600"],
]);
const STANDARD = "60";
const EVERY_MS = 5_000;

function seriesQuestion(service: string, seconds: string): Question<Series> {
  return {
    key: `series/${service}/${seconds}`,
    everyMs: EVERY_MS,
    ask: (client) => client.ask(endpoints.series, { query: { service, by: "version", seconds } }),
  };
}

/** The traffic of a service in the last minutes, a line a version. */
export function TrafficCharts({ service }: { readonly service: string }) {
  const [range] = useParam("range");
  const seconds = RANGES.get(range) ?? STANDARD;
  const question = useMemo(() => seriesQuestion(service, seconds), [service, seconds]);
  return (
    <Section
      title="Traffic by version"
      aside={<Filter label="Range" param="range" options={[...RANGES.keys()]} all="last minute" />}
    >
      <Answered reply={useReply(question)}>
        {(series) =>
          series.series.length === 0 ? (
            <Empty title="No requests in this time">Sherlocks and libraries count what goes to it.</Empty>
          ) : (
            <Charts {...series} />
          )
        }
      </Answered>
    </Section>
  );
}

function Charts({ stepMs, series }: Pick<Series, "stepMs" | "series">) {
  const times = (series[0]?.points ?? []).map(({ at }) => Date.parse(at));
  const lines = (valueOf: (point: Series["series"][number]["points"][number]) => number | null) =>
    series.map(({ key, points }) => ({
      name: key === null || key === "" ? "no version" : key,
      values: points.map(valueOf),
    }));
  return (
    <div className="charts">
      <Chart
        kind="rate"
        title="Requests"
        times={times}
        format={formatRate}
        lines={lines(({ requests }) => (requests === null ? null : requests / (stepMs / 1000)))}
      />
      <Chart
        kind="errors"
        title="Errors"
        times={times}
        format={formatRatio}
        lines={lines(({ requests, errors }) =>
          requests === null || errors === null || requests === 0 ? null : Math.min(1, errors / requests),
        )}
      />
      <Chart kind="latency" title="Latency, p99" times={times} format={formatMs} lines={lines(({ p99 }) => p99)} />
    </div>
  );
}
