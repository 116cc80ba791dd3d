/** A node of a map in its place. */
export interface PlacedNode {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Where the nodes of a map stand, and how large it is, in pixels. */
export interface Layout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly width: number;
  readonly height: number;
}

/** Sizes of a map in pixels. */
export const GRAPH = { nodeWidth: 160, nodeHeight: 32, columnGap: 120, rowGap: 16, margin: 16 } as const;

/** Who calls whom. */
export interface Edge {
  readonly caller: string;
  readonly service: string;
}

/** Puts callers left of what they call: a column for each call in a row, the columns centred, sorted to cross little. */
export function layOut(edges: readonly Edge[]): Layout {
  const columns = columnsOf(edges);
  const rank = new Map<string, number>();
  const callersOf = Map.groupBy(edges, ({ service }) => service);
  const sorted = columns.map((names) => {
    // By the middle of those that call it, which the columns before have placed.
    const middle = (name: string): number => {
      const ranks = (callersOf.get(name) ?? []).flatMap(({ caller }) => rank.get(caller) ?? []);
      return ranks.length === 0 ? 0 : ranks.reduce((sum, each) => sum + each, 0) / ranks.length;
    };
    const order = names.toSorted((a, b) => middle(a) - middle(b) || a.localeCompare(b));
    for (const [i, name] of order.entries()) rank.set(name, i / Math.max(1, order.length - 1));
    return order;
  });
  const { nodeWidth, nodeHeight, columnGap, rowGap, margin } = GRAPH;
  const tallest = Math.max(0, ...sorted.map((column) => column.length));
  const heightOf = (count: number): number => count * nodeHeight + Math.max(0, count - 1) * rowGap;
  const nodes = new Map<string, PlacedNode>();
  for (const [i, column] of sorted.entries()) {
    const top = margin + (heightOf(tallest) - heightOf(column.length)) / 2;
    for (const [j, name] of column.entries())
      nodes.set(name, { name, x: margin + i * (nodeWidth + columnGap), y: top + j * (nodeHeight + rowGap) });
  }
  return {
    nodes,
    width: 2 * margin + sorted.length * nodeWidth + Math.max(0, sorted.length - 1) * columnGap,
    height: 2 * margin + heightOf(tallest),
  };
}

/** Each name in the column after the last of those that call it; calls that close a circle are left out of account. */
function columnsOf(edges: readonly Edge[]): string[][] {
  const calledBy = Map.groupBy(edges, ({ service }) => service);
  const depths = new Map<string, number>();
  const depthOf = (name: string, path: ReadonlySet<string>): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    const through = new Set(path).add(name);
    const before = (calledBy.get(name) ?? []).filter(({ caller }) => !through.has(caller));
    const depth = Math.max(-1, ...before.map(({ caller }) => depthOf(caller, through))) + 1;
    depths.set(name, depth);
    return depth;
  };
  const columns: string[][] = [];
  for (const name of new Set(edges.flatMap(({ caller, service }) => [caller, service])))
    (columns[depthOf(name, new Set())] ??= []).push(name);
  return [...columns].map((column) => column ?? []).filter((column) => column.length > 0);
}
