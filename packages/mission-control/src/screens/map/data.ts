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

/** More calls than these make no picture that anybody can read, and cost more than any table. */
export const DRAWN_MAX = 150;

/**
 * The calls that are drawn: all, or of too many those that fail, then those that were drawn before, as a picture that
 * jumps with each figure is of no use, and then the most.
 * @param before the keys of those that were drawn
 */
export function drawnEdges(edges: readonly MapEdge[], before: ReadonlySet<string>): readonly MapEdge[] {
  if (edges.length <= DRAWN_MAX) return edges;
  const rank = ({ key, errors }: MapEdge): number => ((errors ?? 0) > 0 ? 0 : before.has(key) ? 1 : 2);
  return edges.toSorted((a, b) => rank(a) - rank(b)).slice(0, DRAWN_MAX);
}

/** What fits into a node: of names that begin alike, as those of a team do, the end tells one from another. */
export function nodeLabel(name: string): string {
  return name.length <= LABEL_MAX ? name : `${name.slice(0, 8)}…${name.slice(-9)}`;
}

const LABEL_MAX = 18;
