import { useEffect, useMemo, useRef } from "react";
import { pathOf } from "../../core/address.ts";
import { formatMs, formatRate } from "../../core/format.ts";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { RATE_SECONDS } from "../../data/live.ts";
import { mapQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { Page } from "../../parts/page.tsx";
import { ErrorRatio } from "../../parts/service-columns.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Search, Toolbar } from "../../parts/toolbar.tsx";
import { DRAWN_MAX, drawnEdges, type MapEdge, mapEdges } from "./data.ts";
import { Graph } from "./graph.tsx";

const COLUMNS: readonly Column<MapEdge>[] = [
  { key: "caller", title: "Caller", value: ({ caller }) => caller },
  {
    key: "service",
    title: "Service",
    value: ({ service }) => service,
    show: ({ service }) => <Link to={pathOf("services", service)}>{service}</Link>,
  },
  { key: "rate", title: "Rate", isNumber: true, value: ({ rate }) => rate, show: ({ rate }) => formatRate(rate) },
  {
    key: "errors",
    title: "Errors",
    isNumber: true,
    value: ({ errors }) => errors,
    show: ({ errors }) => <ErrorRatio errors={errors} />,
  },
  { key: "p99", title: "p99", isNumber: true, value: ({ p99 }) => p99, show: ({ p99 }) => formatMs(p99) },
];

/** Who calls whom, and how that goes. */
export function TrafficMap() {
  const map = useReply(mapQuestion);
  const reply = useMemo(() => ({ ...map, data: map.data === null ? null : mapEdges(map.data, RATE_SECONDS) }), [map]);
  return (
    <Page title="Map">
      <Toolbar>
        <Search placeholder="Caller or service" />
      </Toolbar>
      <Answered reply={reply}>
        {(edges) =>
          edges.length === 0 ? (
            <Empty title="No calls in the last seconds">The map shows what Sherlocks and libraries count.</Empty>
          ) : (
            <Views edges={edges} />
          )
        }
      </Answered>
    </Page>
  );
}

function Views({ edges }: { readonly edges: readonly MapEdge[] }) {
  const [search] = useParam("q");
  const shown = edges.filter(({ caller, service }) => matches(search, caller, service));
  if (shown.length === 0) return <Empty title="No call matches">Change the search.</Empty>;
  return (
    <Tabs
      label="Views of the map"
      tabs={[
        { key: "graph", title: "Graph", show: () => <Picture edges={shown} /> },
        {
          key: "table",
          title: "Table",
          show: () => <Table label="Calls" rows={shown} columns={COLUMNS} keyOf={({ key }) => key} />,
        },
      ]}
    />
  );
}

function Picture({ edges }: { readonly edges: readonly MapEdge[] }) {
  const before = useRef<ReadonlySet<string>>(new Set());
  const drawn = drawnEdges(edges, before.current);
  useEffect(() => {
    before.current = new Set(drawn.map(({ key }) => key));
  });
  return (
    <>
      {drawn.length === edges.length ? null : (
        <p className="quiet spaced">
          {DRAWN_MAX} of {edges.length} calls: what fails, and the most. The search narrows them down; the table has
          all.
        </p>
      )}
      <Graph edges={drawn} />
    </>
  );
}
