import { useMemo } from "react";
import { formatRate, formatRatio } from "../../core/format.ts";
import { GRAPH, layOut, type PlacedNode } from "../../core/graph.ts";
import type { MapEdge } from "./data.ts";

/** The map as a picture; the table beside it says the same in words. */
export function Graph({ edges }: { readonly edges: readonly MapEdge[] }) {
  // What calls what changes rarely, how often it does all the time.
  const shape = JSON.stringify(
    edges.toSorted((a, b) => a.key.localeCompare(b.key)).map(({ caller, service }) => [caller, service]),
  );
  const { nodes, width, height } = useMemo(() => {
    const pairs = JSON.parse(shape) as [string, string][];
    return layOut(pairs.map(([caller, service]) => ({ caller, service })));
  }, [shape]);
  return (
    <div className="table-frame graph-frame" role="region" aria-label="Graph of calls" tabIndex={0}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={spoken(edges)}>
        {edges.map((edge) => {
          const [from, to] = [nodes.get(edge.caller), nodes.get(edge.service)];
          return from === undefined || to === undefined ? null : (
            <Arrow key={edge.key} edge={edge} from={from} to={to} />
          );
        })}
        {[...nodes.values()].map(({ name, x, y }) => (
          <g key={name} transform={`translate(${x} ${y})`}>
            <title>{name}</title>
            <rect className="graph-node" width={GRAPH.nodeWidth} height={GRAPH.nodeHeight} rx="6" />
            <text className="graph-name" x="12" y={GRAPH.nodeHeight / 2 + 4}>
              {name.length > 20 ? `${name.slice(0, 19)}…` : name}
            </text>
          </g>
        ))}
      </svg>
    </div>
  );
}

function Arrow({ edge, from, to }: { readonly edge: MapEdge; readonly from: PlacedNode; readonly to: PlacedNode }) {
  const [x1, y1] = [from.x + GRAPH.nodeWidth, from.y + GRAPH.nodeHeight / 2];
  const [x2, y2] = [to.x, to.y + GRAPH.nodeHeight / 2];
  const bend = Math.max(40, Math.abs(x2 - x1) / 2);
  const isFailing = (edge.errors ?? 0) > 0;
  const width = 1 + Math.min(5, Math.log10(1 + (edge.rate ?? 0)) * 1.6);
  return (
    <g className={isFailing ? "graph-edge graph-failing" : "graph-edge"}>
      <path d={`M ${x1} ${y1} C ${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} strokeWidth={width} />
      <text x={x1 + (x2 - x1) * 0.7} y={y1 + (y2 - y1) * 0.78 - 5} textAnchor="middle">
        {formatRate(edge.rate)}
        {isFailing ? ` · ${formatRatio(edge.errors)} errors` : ""}
      </text>
    </g>
  );
}

function spoken(edges: readonly MapEdge[]): string {
  return edges.map(({ caller, service, rate }) => `${caller} calls ${service} at ${formatRate(rate)}`).join("; ");
}
