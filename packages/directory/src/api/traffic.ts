import { type Answer, endpoints } from "@datawire/api";
import { parseName, ProtocolError, quantileOf } from "@datawire/protocol";
import type { CounterLine } from "../stats/counter-steps.ts";
import { COUNTERS_KEPT_MS } from "../stats/counters.ts";
import { type Point, seriesOf, type Sum, sumsBy } from "../stats/traffic.ts";
import type { ApiContext } from "./context.ts";
import { bind, type BoundEndpoint } from "./router.ts";

type TrafficContext = Pick<ApiContext, "counters" | "clock">;

/** What Sherlocks counted, as charts and maps show it. */
export function trafficEndpoints(context: TrafficContext): BoundEndpoint[] {
  return [
    bind(endpoints.series, ({ query }) => series(context, query)),
    bind(endpoints.map, ({ query }) => ({ edges: edgesOf(context, readSeconds(query.seconds, 60)) })),
  ];
}

/** Reads how far back something goes. @throws ProtocolError `invalid_argument` */
export function readSeconds(text: string | undefined, otherwise: number): number {
  const seconds = Number(text ?? otherwise);
  if (text !== "" && seconds > 0 && seconds * 1_000 <= COUNTERS_KEPT_MS) return seconds;
  throw new ProtocolError("invalid_argument", `Cannot use ${JSON.stringify(text)} as seconds: wanted 1 to 3600`);
}

/** Who calls whom, by the names of both. */
export function edgesOf({ counters, clock }: TrafficContext, seconds: number): Answer<"map">["edges"] {
  const { lines } = counters.last(seconds * 1_000, clock.nowMs());
  const sums = sumsBy(lines, ({ caller, service }) => `${caller}>${service}`);
  return [...sums]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, sum]) => {
      const at = key.lastIndexOf(">");
      return { caller: key.slice(0, at), service: key.slice(at + 1), ...shown(sum) };
    });
}

const KEYS: ReadonlyMap<string, (line: CounterLine) => string | null> = new Map([
  ["version", ({ version }: CounterLine) => version],
  ["instance", ({ instance }: CounterLine) => instance],
  ["caller", ({ caller }: CounterLine) => caller],
]);

function series(
  { counters, clock }: TrafficContext,
  query: {
    readonly service?: string | undefined;
    readonly by?: string | undefined;
    readonly seconds?: string | undefined;
  },
): Answer<"series"> {
  const { service, by = "version" } = query;
  if (service === undefined)
    throw new ProtocolError("invalid_argument", "Cannot show a series: wanted service=NAME in the query");
  const keyOf = KEYS.get(by);
  if (keyOf === undefined)
    throw new ProtocolError(
      "invalid_argument",
      `Cannot use ${JSON.stringify(by)} as by: wanted version, instance or caller`,
    );
  const name = parseName(service.replace(/^\/\//, ""), "service");
  const spanMs = readSeconds(query.seconds, 600) * 1_000;
  const { stepMs, series: found } = seriesOf(counters, { service: name, spanMs, nowMs: clock.nowMs() }, keyOf);
  return {
    stepMs,
    series: [...found]
      .toSorted(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1))
      .map(([key, points]) => ({ key, points: points.map(pointOf) })),
  };
}

function pointOf({ atMs, sum }: Point) {
  const at = new Date(atMs).toISOString();
  return sum === null ? { at, requests: null, errors: null, p50: null, p99: null } : { at, ...shown(sum) };
}

function shown({ requests, errors, latencies }: Sum) {
  return { requests, errors, p50: quantileOf(latencies, 0.5), p99: quantileOf(latencies, 0.99) };
}
