import { addHistograms, bucketsOf, type Histogram, middleOf } from "@datawire/protocol";
import { Gauge, type MetricObjectWithValues, type MetricType, type MetricValue, type Registry } from "prom-client";

type Label = "service" | "version" | "le";
type Labels = Readonly<Record<"service" | "version", string>>;

const NAME = "datawire_latency_seconds";
/** From 1 ms to 16 s, doubling: the first millisecond of a bucket of ours is always one of these. */
const BOUNDS_MS = Array.from({ length: 15 }, (_, i) => 2 ** i);

/** The types of prom-client have a number for what it writes as a word. */
const HISTOGRAM = "histogram" as unknown as MetricType;

/**
 * A histogram of Prometheus that is added to by whole histograms; the one of prom-client takes single values only, and
 * would be called for each request.
 */
export class LatencyMetric extends Gauge<Label> {
  readonly #histograms = new Map<string, { readonly labels: Labels; histogram: Histogram }>();

  constructor(register: Registry) {
    const help =
      "Of the requests to a version, until the head of the response; of a sample, each counts for those it stands for.";
    super({ name: NAME, help, labelNames: ["service", "version"], registers: [register] });
  }

  add(labels: Labels, histogram: Histogram): void {
    const key = JSON.stringify([labels.service, labels.version]);
    const before = this.#histograms.get(key)?.histogram ?? [];
    this.#histograms.set(key, { labels, histogram: addHistograms(before, histogram) });
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<Label>>> {
    const values = [...this.#histograms.values()].flatMap(({ labels, histogram }) => valuesOf(labels, histogram));
    return { ...(await super.get()), type: HISTOGRAM, values };
  }
}

function valuesOf(labels: Labels, histogram: Histogram): MetricValue<Label>[] {
  let [count, sumMs] = [0, 0];
  const below = BOUNDS_MS.map(() => 0);
  for (const [ms, more] of bucketsOf(histogram)) {
    count += more;
    sumMs += middleOf(ms) * more;
    BOUNDS_MS.forEach((bound, i) => {
      if (ms < bound) below[i] = (below[i] as number) + more;
    });
  }
  const value = (suffix: string, of: number, le?: number | string) => ({
    metricName: `${NAME}_${suffix}`,
    value: of,
    labels: le === undefined ? labels : { ...labels, le },
  });
  return [
    ...BOUNDS_MS.map((bound, i) => value("bucket", below[i] as number, bound / 1_000)),
    value("bucket", count, "+Inf"),
    value("sum", sumMs / 1_000),
    value("count", count),
  ];
}
