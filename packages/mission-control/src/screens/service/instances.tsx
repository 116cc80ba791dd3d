import { useState } from "react";
import { formatMs, formatRate, formatShare, plural } from "../../core/format.ts";
import { Action } from "../../parts/action.tsx";
import { Empty } from "../../parts/answered.tsx";
import { ErrorRatio } from "../../parts/service-columns.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { type InstanceRow, type ServiceFacts, versionGroups } from "./data.ts";
import { DrainDialog, type DrainVerb } from "./drain-dialog.tsx";

const COLUMNS: readonly Column<InstanceRow>[] = [
  { key: "instance", title: "Instance", value: ({ instance }) => instance.name, show: Named },
  { key: "version", title: "Version", value: ({ instance }) => instance.version },
  {
    key: "state",
    title: "State",
    value: ({ instance }) => instance.state,
    show: ({ instance }) => (
      <span title={instance.reason ?? undefined}>
        <StateMark state={instance.state} />
      </span>
    ),
  },
  { key: "role", title: "Role", value: ({ instance }) => instance.role },
  {
    key: "share",
    title: "Share",
    isNumber: true,
    value: ({ share }) => share,
    show: ({ share }) => formatShare(share),
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

function Named({ instance }: InstanceRow) {
  return (
    <span className="two-lines">
      <strong>{instance.name}</strong>
      <span className="quiet">{instance.url}</span>
    </span>
  );
}

/** The instances of a service, grouped by version. */
export function Instances({ facts }: { readonly facts: ServiceFacts }) {
  const [asked, setAsked] = useState<{ verb: DrainVerb; instance: string } | null>(null);
  const groups = versionGroups(facts);
  if (groups.length === 0)
    return <Empty title="No instances">A Watson registers those that its service files describe.</Empty>;
  return (
    <>
      {groups.map(({ version, rows }) => (
        <section key={version} data-testid="version" data-key={version} className="section">
          <h2 className="group-head">
            {version === "" ? "Without a version" : `Version ${version}`}
            <span className="quiet"> {plural(rows.length, "instance")}</span>
          </h2>
          <Table
            label={version === "" ? "Instances without a version" : `Instances of version ${version}`}
            rows={rows}
            columns={COLUMNS}
            keyOf={({ key }) => key}
            actions={({ key, instance }) => {
              const verb = instance.state === "draining" ? "Resume" : "Drain";
              return (
                <Action need="change" of={key} onAct={() => setAsked({ verb, instance: key })}>
                  {verb}
                </Action>
              );
            }}
          />
        </section>
      ))}
      {asked === null ? null : <DrainDialog {...asked} onClose={() => setAsked(null)} />}
    </>
  );
}
