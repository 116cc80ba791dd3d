import { useMemo } from "react";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { statusQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Convergence } from "../../parts/convergence.tsx";
import { Page } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Search, Toolbar } from "../../parts/toolbar.tsx";
import { type AgentRow, agentRows } from "./data.ts";

const COLUMNS: readonly Column<AgentRow>[] = [
  { key: "name", title: "Name", value: ({ name }) => name, show: ({ name }) => <strong>{name}</strong> },
  { key: "kind", title: "Kind", value: ({ kind }) => kind },
  { key: "state", title: "State", value: ({ state }) => state, show: ({ state }) => <StateMark state={state} /> },
  { key: "version", title: "Version", value: ({ version }) => version },
  { key: "revision", title: "Revision", isNumber: true, value: ({ revision }) => revision },
  {
    key: "lag",
    title: "Lag",
    isNumber: true,
    value: ({ lag }) => lag,
    show: ({ lag }) => <span className={lag ? "text-warn" : undefined}>{lag ?? "–"}</span>,
  },
  { key: "problems", title: "Problems", value: ({ problems }) => problems.length, show: Reported },
];

function Reported({ problems }: AgentRow) {
  if (problems.length === 0) return <span className="quiet">none</span>;
  return (
    <ul className="plain wrap text-warn">
      {problems.map((problem) => (
        <li key={problem}>{problem}</li>
      ))}
    </ul>
  );
}

/** Directories, Watsons and Sherlocks, and how far each is behind. */
export function Agents() {
  const status = useReply(statusQuestion);
  const [search] = useParam("q");
  const rows = useMemo(() => (status.data === null ? [] : agentRows(status.data)), [status]);
  const shown = rows.filter(({ name, kind, state }) => matches(search, name, kind, state));
  return (
    <Page title="Agents">
      <Toolbar>
        <Search placeholder="Name, kind or state" />
      </Toolbar>
      <Answered reply={status}>
        {({ sherlocks, directory }) => (
          <>
            <Convergence sherlocks={sherlocks} revision={directory.revision} />
            {shown.length === 0 ? (
              <Empty title="No agent matches">Change the search.</Empty>
            ) : (
              <Table label="Agents" rows={shown} columns={COLUMNS} keyOf={({ key }) => key} />
            )}
          </>
        )}
      </Answered>
    </Page>
  );
}
