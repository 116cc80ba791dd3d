import { type MouseEvent, useMemo } from "react";
import { pathOf } from "../../core/address.ts";
import { formatRate, formatRatio } from "../../core/format.ts";
import { GRAPH, layOut, type PlacedEdge, type PlacedNode } from "../../core/graph.ts";
import { useConsole } from "../../data/console.ts";
import { type MapEdge, nodeLabel } from "./data.ts";

/** The map as a picture; the table beside it says the same in words. */
export function Graph({ edges }: { readonly edges: readonly MapEdge[] }) {
  // What calls what changes rarely, how often it does all the time.
  const shape = JSON.stringify(
    edges.toSorted((a, b) => a.key.localeCompare(b.key)).map(({ caller, service }) => [caller, service]),
  );
  const layout = useMemo(() => {
    const pairs = JSON.parse(shape) as [string, string][];
    return layOut(pairs.map(([caller, service]) => ({ caller, service })));
  }, [shape]);
  const { nodes, width, height } = layout;
  const figures = new Map(edges.map((edge) => [edge.key, edge]));
  const called = new Set(edges.map(({ service }) => service));
  const failing = new Set(edges.flatMap(({ service, errors }) => ((errors ?? 0) > 0 ? [service] : [])));
  return (
    <div className="table-frame graph-frame" role="region" aria-label="Graph of calls" tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="group" aria-label="Who calls whom">
        {layout.edges.map((placed) => {
          const [from, to] = [nodes.get(placed.caller), nodes.get(placed.service)];
          const edge = figures.get(`${placed.caller}>${placed.service}`);
          return from === undefined || to === undefined || edge === undefined ? null : (
            <Arrow key={edge.key} {...{ edge, placed, from, to }} />
          );
        })}
        {[...nodes.values()].map((node) => (
          <Node key={node.name} node={node} isService={called.has(node.name)} isFailing={failing.has(node.name)} />
        ))}
      </svg>
    </div>
  );
}

interface NodeProps {
  readonly node: PlacedNode;
  readonly isService: boolean;
  readonly isFailing: boolean;
}

function Node({ node: { name, x, y, height }, isService, isFailing }: NodeProps) {
  const { navigation } = useConsole();
  const path = pathOf("services", name);
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigation.go(path);
  };
  const box = (
    <g transform={`translate(${x} ${y})`} className={isFailing ? "graph-node graph-node-failing" : "graph-node"}>
      <title>{name}</title>
      <rect width={GRAPH.nodeWidth} height={height} rx="6" />
      <text x="14" y={height / 2 + 5} {...(nodeLabel(name) === name ? {} : FITTED)}>
        {nodeLabel(name)}
      </text>
    </g>
  );
  return isService ? (
    <a href={navigation.hrefOf(path)} onClick={follow}>
      {box}
    </a>
  ) : (
    box
  );
}

/** As wide as its node leaves room for, whatever letters it is of. */
const FITTED = { textLength: GRAPH.nodeWidth - 28, lengthAdjust: "spacingAndGlyphs" } as const;

interface ArrowProps {
  readonly edge: MapEdge;
  readonly placed: PlacedEdge;
  readonly from: PlacedNode;
  readonly to: PlacedNode;
}

function Arrow({ edge, placed, from, to }: ArrowProps) {
  const [x1, y1] = [from.x + GRAPH.nodeWidth, placed.from];
  const [x2, y2] = [to.x, placed.to];
  const bend = Math.max(40, Math.abs(x2 - x1) * 0.45);
  const isFailing = (edge.errors ?? 0) > 0;
  const width = 1 + Math.min(5, Math.log10(1 + (edge.rate ?? 0)) * 1.6);
  return (
    <g className={isFailing ? "graph-edge graph-failing" : "graph-edge"}>
      <path d={`M ${x1} ${y1} C ${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2 - 7} ${y2}`} strokeWidth={width} />
      <path className="graph-head" d={`M ${x2 - 9} ${y2 - 5} L ${x2 - 1} ${y2} L ${x2 - 9} ${y2 + 5} Z`} />
      <text x={x2 - 14} y={y2 - 5} textAnchor="end">
        {formatRate(edge.rate)}
        {isFailing ? ` · ${formatRatio(edge.errors)} errors` : ""}
      </text>
    </g>
  );
}
