import { useMemo } from "react";
import { pathOf } from "../../core/address.ts";
import { formatRate } from "../../core/format.ts";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { RATE_SECONDS } from "../../data/live.ts";
import { callersQuestion, mapQuestion, statusQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { Page } from "../../parts/page.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Search, Toolbar } from "../../parts/toolbar.tsx";
import { type CallerRow, callerRows } from "./data.ts";

const NAMED_MAX = 5;

const COLUMNS: readonly Column<CallerRow>[] = [
  { key: "name", title: "Caller", value: ({ name }) => name, show: ({ name }) => <strong>{name}</strong> },
  {
    key: "kind",
    title: "Kind",
    value: ({ kind }) => kind,
    show: ({ kind }) => (kind === "sherlock" ? "Sherlock" : kind),
  },
  { key: "version", title: "Version", value: ({ version }) => version },
  { key: "revision", title: "Revision", isNumber: true, value: ({ revision }) => revision },
  {
    key: "lag",
    title: "Lag",
    isNumber: true,
    value: ({ lag }) => lag,
    show: ({ lag }) => <span className={lag ? "text-warn" : undefined}>{lag ?? "–"}</span>,
  },
  { key: "rate", title: "Rate", isNumber: true, value: ({ rate }) => rate, show: ({ rate }) => formatRate(rate) },
  { key: "calls", title: "Calls", value: ({ services }) => services.length, show: Called },
];

function Called({ services }: CallerRow) {
  if (services.length === 0) return <span className="quiet">nothing in the last seconds</span>;
  return (
    <span className="links">
      {services.slice(0, NAMED_MAX).map((service) => (
        <Link key={service} to={pathOf("services", service)}>
          {service}
        </Link>
      ))}
      {services.length > NAMED_MAX ? <span className="quiet">and {services.length - NAMED_MAX} more</span> : null}
    </span>
  );
}

/** The Sherlocks and libraries that are connected, and what each calls. */
export function Callers() {
  const callers = useReply(callersQuestion);
  const { data: map } = useReply(mapQuestion);
  const revision = useReply(statusQuestion).data?.directory.revision ?? 0;
  const reply = useMemo(() => {
    if (callers.data === null) return { ...callers, data: null };
    const newest = { ...callers.data, revision: Math.max(revision, callers.data.revision) };
    return { ...callers, data: callerRows(newest, map?.edges ?? null, RATE_SECONDS) };
  }, [callers, map, revision]);
  return (
    <Page title="Callers">
      <Toolbar>
        <Search placeholder="Name, kind or what it calls" />
      </Toolbar>
      <Answered reply={reply}>{(rows) => <List rows={rows} />}</Answered>
    </Page>
  );
}

function List({ rows }: { readonly rows: readonly CallerRow[] }) {
  const [search] = useParam("q");
  const shown = rows.filter(({ name, kind, services }) => matches(search, name, kind, ...services));
  if (rows.length === 0)
    return (
      <Empty title="No callers">
        A Sherlock beside an application, or the library within it, connects to this directory.
      </Empty>
    );
  if (shown.length === 0) return <Empty title="No caller matches">Change the search.</Empty>;
  return <Table label="Callers" rows={shown} columns={COLUMNS} keyOf={({ name }) => name} />;
}
