import { pathOf } from "../../core/address.ts";
import { formatShare } from "../../core/format.ts";
import { type ServiceRow, worstServices } from "../../core/service-rows.ts";
import { useBoth, useReply } from "../../data/console.ts";
import { rolloutsQuestion, statusQuestion } from "../../data/questions.ts";
import { useServiceRows } from "../../data/service-rows.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Convergence } from "../../parts/convergence.tsx";
import { GuardHolding } from "../../parts/guard-holding.tsx";
import { Link } from "../../parts/link.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { ProblemList } from "../../parts/problem-list.tsx";
import { SERVICE_COLUMNS } from "../../parts/service-columns.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { Table } from "../../parts/table.tsx";
import { type Counts, countsOf } from "./data.ts";

const WORST_MAX = 10;

/** What is wrong, how much there is of everything, and where to look first. */
export function Overview() {
  return (
    <Page title="Overview">
      <Answered reply={useBoth(useReply(statusQuestion), useServiceRows())}>
        {([status, services]) => (
          <>
            <CountTiles counts={countsOf(status)} />
            <Convergence sherlocks={status.sherlocks} revision={status.directory.revision} />
            {status.directory.guard === null ? null : <GuardHolding guard={status.directory.guard} />}
            <Section title="Problems">
              {status.problems.length === 0 ? (
                <p className="fine">Nothing is wrong.</p>
              ) : (
                <ProblemList problems={status.problems} total={status.counts.problems} />
              )}
            </Section>
            <RunningRollouts />
            <Section title="Worst services" aside={<Link to="services">All services</Link>}>
              <WorstServices services={services} />
            </Section>
          </>
        )}
      </Answered>
    </Page>
  );
}

function WorstServices({ services }: { readonly services: readonly ServiceRow[] }) {
  return services.length === 0 ? (
    <Empty title="No services yet">
      A Watson registers what its service files describe; <code>dw service add</code> declares one ahead.
    </Empty>
  ) : (
    <Table
      label="Worst services"
      rows={worstServices(services, WORST_MAX)}
      columns={SERVICE_COLUMNS}
      keyOf={({ service }) => service}
    />
  );
}

function RunningRollouts() {
  const going = (useReply(rolloutsQuestion).data ?? []).filter(({ endedAt }) => endedAt === null);
  if (going.length === 0) return null;
  return (
    <Section title="Running rollouts" aside={<Link to="rollouts">All rollouts</Link>}>
      <ul className="plain">
        {going.map(({ id, target, state, step, steps }) => (
          <li key={id} className="step-head">
            <Link to={pathOf("rollouts", id)}>{target}</Link>
            <StateMark state={state} />
            <span className="quiet">
              step {step + 1} of {steps.length}, {formatShare(steps[step]?.share)}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function CountTiles({ counts }: { readonly counts: readonly Counts[] }) {
  return (
    <ul className="tiles">
      {counts.map(({ title, count, to }) => (
        <li key={title}>
          <Link to={to} className="tile">
            <span className="tile-number">{count}</span>
            <span className="tile-title">{title}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
