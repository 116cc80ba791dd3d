import { plural } from "../../core/format.ts";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { Table } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Filter, Search, Toolbar } from "../../parts/toolbar.tsx";
import { LINK_COLUMNS, QUEUE_COLUMNS } from "./columns.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import { leftOut, linkRows, queueRows, type QueueRow, routersQuestion } from "./data.ts";

const STATES = ["full", "stalled", "moving", "idle"];

/** The routers' addresses and links: what moves, what does not and why, and what was given up. */
export function Messaging() {
  const reply = useReply(routersQuestion);
  return (
    <Page title="Messaging">
      <Toolbar>
        <Search placeholder="Address, router or who" />
        <Filter label="Status" param="status" options={STATES} all="any" />
      </Toolbar>
      <Answered reply={reply}>
        {(routers) =>
          routers.length === 0 ? (
            <Empty title="No router is connected">
              A router that has <code>directories</code> in its router.yaml tells of its addresses here.
            </Empty>
          ) : (
            <>
              <LeftOut count={leftOut(routers)} />
              <Tabs
                label="Views of messaging"
                tabs={[
                  { key: "addresses", title: "Addresses", show: () => <Queues rows={queueRows(routers)} /> },
                  { key: "links", title: "Links", show: () => <Links rows={linkRows(routers)} /> },
                ]}
              />
            </>
          )
        }
      </Answered>
    </Page>
  );
}

function LeftOut({ count }: { readonly count: number }) {
  if (count <= 0) return null;
  return (
    <p className="quiet spaced">
      {plural(count, "address or link", "addresses and links")} more, which move: <code>dw queue list</code> has all.
    </p>
  );
}

function useMatching<Row extends { readonly state: string }>(
  rows: readonly Row[],
  textsOf: (row: Row) => readonly (string | null)[],
): Row[] {
  const [search] = useParam("q");
  const [status] = useParam("status");
  return rows.filter((row) => matches(search, ...textsOf(row)) && (status === "" || row.state === status));
}

function Queues({ rows }: { readonly rows: readonly QueueRow[] }) {
  const shown = useMatching(rows, ({ address, router, kind }) => [address, router, kind]);
  if (shown.length === 0)
    return <Empty title={rows.length === 0 ? "No addresses yet: they are made on first use" : "No address matches"} />;
  return (
    <>
      <Table label="Addresses" rows={shown} columns={QUEUE_COLUMNS} keyOf={({ key }) => key} />
      <DeadLetters rows={shown.filter(({ dead }) => dead > 0)} />
    </>
  );
}

function Links({ rows }: { readonly rows: ReturnType<typeof linkRows> }) {
  const shown = useMatching(rows, ({ address, container, user, peer }) => [address, container, user, peer]);
  if (shown.length === 0) return <Empty title={rows.length === 0 ? "No links" : "No link matches"} />;
  return <Table label="Links" rows={shown} columns={LINK_COLUMNS} keyOf={({ key }) => key} />;
}
