import { useMemo } from "react";
import { matches } from "../../core/rows.ts";
import type { ServiceRow } from "../../core/service-rows.ts";
import { useParam } from "../../data/console.ts";
import { useServiceRows } from "../../data/service-rows.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { SERVICE_COLUMNS } from "../../parts/service-columns.tsx";
import { Table } from "../../parts/table.tsx";
import { Filter, Search, Toolbar } from "../../parts/toolbar.tsx";

const STATUSES = ["live", "degraded", "down"];

/** Every service in one row. */
export function Services() {
  return (
    <Page title="Services">
      <Toolbar>
        <Search placeholder="Name or primary" />
        <Filter label="Status" param="status" options={STATUSES} all="any" />
      </Toolbar>
      <Answered reply={useServiceRows()}>{(rows) => <List rows={rows} />}</Answered>
    </Page>
  );
}

function List({ rows }: { readonly rows: readonly ServiceRow[] }) {
  const [search] = useParam("q");
  const [status] = useParam("status");
  const shown = useMemo(
    () => rows.filter((row) => matches(search, row.service, row.primary) && (status === "" || row.status === status)),
    [rows, search, status],
  );
  if (rows.length === 0)
    return (
      <Empty title="No services yet">
        A Watson registers what its service files describe; <code>dw service add</code> declares one ahead.
      </Empty>
    );
  if (shown.length === 0) return <Empty title="No service matches">Change the search or the filter.</Empty>;
  return <Table label="Services" rows={shown} columns={SERVICE_COLUMNS} keyOf={({ service }) => service} />;
}
