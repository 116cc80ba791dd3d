import { type Counted, type Traffic, trafficBy } from "../../core/traffic.ts";

/** The calls of one caller to one service. */
export interface MapEdge extends Traffic {
  /** `CALLER>SERVICE` */
  readonly key: string;
  readonly caller: string;
  readonly service: string;
}

/** Who calls whom, the most first. */
export function mapEdges(counters: readonly Counted[], seconds: number): MapEdge[] {
  const keyOf = ({ caller, service }: Counted): string => `${caller}>${service}`;
  const pairs = new Map(counters.map((counted) => [keyOf(counted), counted]));
  return [...trafficBy(counters, seconds, keyOf)]
    .flatMap(([key, traffic]) => {
      const pair = pairs.get(key);
      return pair === undefined ? [] : [{ key, caller: pair.caller, service: pair.service, ...traffic }];
    })
    .toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || a.key.localeCompare(b.key));
}
