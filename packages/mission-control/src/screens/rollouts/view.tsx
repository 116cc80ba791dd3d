import type { RolloutListing } from "@datawire/api";
import { useMemo } from "react";
import { pathOf } from "../../core/address.ts";
import { formatShare } from "../../core/format.ts";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { rolloutsQuestion } from "../../data/questions.ts";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { Page } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Filter, Search, Toolbar } from "../../parts/toolbar.tsx";
import { shareOf } from "./data.ts";

const STATES = ["running", "paused", "promoting", "promoted", "rolled-back", "aborted"];

const COLUMNS: readonly Column<RolloutListing>[] = [
  {
    key: "target",
    title: "Target",
    value: ({ target }) => target,
    show: ({ id, target }) => <Link to={pathOf("rollouts", id)}>{target}</Link>,
  },
  {
    key: "service",
    title: "Service",
    value: ({ service }) => service,
    show: ({ service }) => <Link to={pathOf("services", service)}>{service}</Link>,
  },
  { key: "state", title: "State", value: ({ state }) => state, show: ({ state }) => <StateMark state={state} /> },
  {
    key: "step",
    title: "Step",
    isNumber: true,
    value: ({ step }) => step,
    show: ({ step, steps }) => `${step + 1} of ${steps.length}`,
  },
  {
    key: "share",
    title: "Share",
    isNumber: true,
    value: (rollout) => shareOf(rollout),
    show: (rollout) => formatShare(shareOf(rollout)),
  },
  {
    key: "started",
    title: "Started",
    value: ({ startedAt }) => Date.parse(startedAt),
    show: ({ startedAt, by }) => (
      <>
        <Ago at={startedAt} /> <span className="quiet">by {by}</span>
      </>
    ),
  },
];

/** The rollouts that go on, and those that have ended. */
export function Rollouts() {
  return (
    <Page title="Rollouts">
      <Toolbar>
        <Search placeholder="Service, target or who" />
        <Filter label="Status" param="status" options={STATES} all="any" />
      </Toolbar>
      <Answered reply={useReply(rolloutsQuestion)}>{(rollouts) => <List rollouts={rollouts} />}</Answered>
    </Page>
  );
}

function List({ rollouts }: { readonly rollouts: readonly RolloutListing[] }) {
  const [search] = useParam("q");
  const [status] = useParam("status");
  const shown = useMemo(
    () =>
      rollouts.filter(
        ({ service, target, by, state }) => matches(search, service, target, by) && (status === "" || state === status),
      ),
    [rollouts, search, status],
  );
  if (rollouts.length === 0)
    return (
      <Empty title="No rollouts">
        Start rollout, on the page of a service, takes a version from a small share to all, and back by itself when it
        is worse.
      </Empty>
    );
  if (shown.length === 0) return <Empty title="No rollout matches">Change the search or the filter.</Empty>;
  return <Table label="Rollouts" rows={shown} columns={COLUMNS} keyOf={({ id }) => id} />;
}
