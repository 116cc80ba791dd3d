/** A node of a map in its place. */
export interface PlacedNode {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** A call in its place: from the right side of its caller to the left one of its service. */
export interface PlacedEdge extends Edge {
  readonly from: number;
  readonly to: number;
}

/** Where the nodes of a map stand, and how large it is, in pixels. */
export interface Layout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  /** In the order in which they were given. */
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

/** Sizes of a map in pixels. */
export const GRAPH = {
  nodeWidth: 168,
  nodeHeight: 36,
  callHeight: 24,
  columnGap: 232,
  rowGap: 20,
  margin: 20,
} as const;

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
  const { nodeWidth, columnGap, rowGap, margin } = GRAPH;
  const heightOf = heightsOf(edges);
  const columnHeight = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + heightOf(name), 0) + Math.max(0, names.length - 1) * rowGap;
  const tallest = Math.max(0, ...sorted.map(columnHeight));
  const nodes = new Map<string, PlacedNode>();
  for (const [i, column] of sorted.entries()) {
    let y = margin + (tallest - columnHeight(column)) / 2;
    for (const name of column) {
      const height = heightOf(name);
      nodes.set(name, { name, x: margin + i * (nodeWidth + columnGap), y, height });
      y += height + rowGap;
    }
  }
  return {
    nodes,
    edges: placeEdges(edges, nodes),
    width: 2 * margin + sorted.length * nodeWidth + Math.max(0, sorted.length - 1) * columnGap,
    height: 2 * margin + tallest,
  };
}

/** A node is as high as the calls on one of its sides need, so that each has a place, and its figures, of their own. */
function heightsOf(edges: readonly Edge[]): (name: string) => number {
  const [calls, called] = [countBy(edges, ({ caller }) => caller), countBy(edges, ({ service }) => service)];
  return (name) => Math.max(GRAPH.nodeHeight, GRAPH.callHeight * Math.max(calls.get(name) ?? 0, called.get(name) ?? 0));
}

function countBy(edges: readonly Edge[], keyOf: (edge: Edge) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const edge of edges) counts.set(keyOf(edge), (counts.get(keyOf(edge)) ?? 0) + 1);
  return counts;
}

/** Spreads the ends of calls over the side of their node, in the order of the other ends, so that they cross little. */
function placeEdges(edges: readonly Edge[], nodes: ReadonlyMap<string, PlacedNode>): PlacedEdge[] {
  const yOf = (name: string): number => nodes.get(name)?.y ?? 0;
  const ends = (keyOf: (edge: Edge) => string, otherOf: (edge: Edge) => string): Map<Edge, number> => {
    const places = new Map<Edge, number>();
    for (const [name, own] of Map.groupBy(edges, keyOf)) {
      const { y, height } = nodes.get(name) ?? { y: 0, height: 0 };
      for (const [i, edge] of own.toSorted((a, b) => yOf(otherOf(a)) - yOf(otherOf(b))).entries())
        places.set(edge, y + ((i + 0.5) / own.length) * height);
    }
    return places;
  };
  const from = ends(
    ({ caller }) => caller,
    ({ service }) => service,
  );
  const to = ends(
    ({ service }) => service,
    ({ caller }) => caller,
  );
  return edges.map((edge) => ({ ...edge, from: from.get(edge) ?? 0, to: to.get(edge) ?? 0 }));
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
