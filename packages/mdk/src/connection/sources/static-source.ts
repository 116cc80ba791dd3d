import { type ListedNode, tableOf } from "./node-list.ts";
import type { Source } from "./source.ts";

/** Nodes that are given once. */
export function createStaticSource(nodes: readonly ListedNode[]): Source {
  return {
    table: tableOf(nodes),
    missing: () => null,
    denial: () => null,
    start: () => {},
    stop: () => Promise.resolve(),
  };
}
