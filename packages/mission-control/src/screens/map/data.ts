import type { Answer } from "@datawire/api";
import type { Traffic } from "../../core/traffic.ts";

/** The calls of one caller to one service. */
export interface MapEdge extends Traffic {
  /** `CALLER>SERVICE` */
  readonly key: string;
  readonly caller: string;
  readonly service: string;
}

/** Who calls whom, the most first. */
export function mapEdges({ edges }: Answer<"map">, seconds: number): MapEdge[] {
  return edges
    .map(({ caller, service, requests, errors, p99 }) => ({
      key: `${caller}>${service}`,
      caller,
      service,
      rate: requests / seconds,
      errors: requests + errors === 0 ? null : Math.min(1, errors / Math.max(1, requests)),
      p99,
    }))
    .toSorted((a, b) => b.rate - a.rate || a.key.localeCompare(b.key));
}
