import type { RolloutListing } from "@datawire/api";
import { useState } from "react";
import { pathOf } from "../../core/address.ts";
import { formatCount, formatMs, formatShare } from "../../core/format.ts";
import { useReply } from "../../data/console.ts";
import { historyQuestion } from "../../data/questions.ts";
import { Action } from "../../parts/action.tsx";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { TrafficCharts } from "../../parts/traffic-charts.tsx";
import { type Check, isGoing, rolloutQuestion, shareOf, type Step, unitOf } from "./data.ts";
import { CommandDialog, type RolloutVerb } from "./command-dialog.tsx";

/** One rollout: its steps, what its checks say, and how its target does beside the primary. */
export function Rollout({ id }: { readonly id: string }) {
  const reply = useReply(rolloutQuestion(id));
  const [verb, setVerb] = useState<RolloutVerb | null>(null);
  const rollout = reply.data;
  return (
    <Page
      title={rollout === null ? `Rollout ${id}` : `Rollout of ${rollout.target}`}
      actions={rollout !== null && isGoing(rollout) ? <Actions rollout={rollout} onAsk={setVerb} /> : undefined}
    >
      <Answered reply={reply}>
        {(rollout) =>
          rollout === null ? (
            <Empty title="This rollout is not known any more" />
          ) : (
            <>
              <Summary rollout={rollout} />
              <Section title="Steps">
                <ol className="steps">
                  {rollout.steps.map((step, i) => (
                    <StepItem key={i} index={i} step={step} isCurrent={i === rollout.step && isGoing(rollout)} />
                  ))}
                </ol>
              </Section>
              <TrafficCharts service={rollout.service} />
              <Log id={rollout.id} />
              {verb === null ? null : <CommandDialog verb={verb} rollout={rollout} onClose={() => setVerb(null)} />}
            </>
          )
        }
      </Answered>
    </Page>
  );
}

function Actions({ rollout, onAsk }: { rollout: RolloutListing; onAsk: (verb: RolloutVerb) => void }) {
  const verbs: readonly RolloutVerb[] = [rollout.state === "paused" ? "Resume" : "Pause", "Promote", "Abort"];
  return (
    <>
      {verbs.map((verb) => (
        <Action key={verb} need="change" kind={verb === "Abort" ? "danger" : "plain"} onAct={() => onAsk(verb)}>
          {verb}
        </Action>
      ))}
    </>
  );
}

function Summary({ rollout }: { readonly rollout: RolloutListing }) {
  const { service, state, from, reason, by, startedAt, endedAt } = rollout;
  return (
    <>
      <p className="summary">
        <span data-testid="rollout-state" data-value={state}>
          <StateMark state={state} />
        </span>
        <span>
          <span className="quiet">service</span> <Link to={pathOf("services", service)}>{service}</Link>
        </span>
        <span>
          <span className="quiet">share</span> {formatShare(shareOf(rollout))} of {from ?? "any caller"}
        </span>
        <span>
          <span className="quiet">started</span> <Ago at={startedAt} /> by {by}
        </span>
        {endedAt === null ? null : (
          <span>
            <span className="quiet">ended</span> <Ago at={endedAt} />
          </span>
        )}
      </p>
      {reason === null ? null : <p className="banner banner-warn">{reason}</p>}
    </>
  );
}

function StepItem({ index, step, isCurrent }: { index: number; step: Step; isCurrent: boolean }) {
  const { share, forMs, state, watchedMs, requests, checks } = step;
  return (
    <li
      data-testid="step"
      data-key={index}
      data-state={state}
      aria-current={isCurrent ? "step" : undefined}
      className="step"
    >
      <p className="step-head">
        <strong>{formatShare(share)}</strong>
        <StateMark state={state} />
        <span className="quiet">
          watched {formatMs(watchedMs)} of {formatMs(forMs)}, {formatCount(requests)} requests
        </span>
      </p>
      {checks.length === 0 ? null : (
        <ul className="plain">
          {checks.map((check) => (
            <CheckItem key={check.name} check={check} />
          ))}
        </ul>
      )}
    </li>
  );
}

function CheckItem({ check }: { readonly check: Check }) {
  const { name, state, target, baseline, limit, requests, lower, upper } = check;
  const show = (value: number | null): string => {
    const unit = unitOf(check);
    return unit === "ms" ? formatMs(value) : unit === "%" ? formatShare(value) : formatCount(value);
  };
  return (
    <li data-testid="check" data-key={name} data-state={state} className="check">
      <StateMark state={state} />
      <code>{name}</code>
      <span className="quiet">
        target {show(target)}, between {show(lower)} and {show(upper)}; limit {show(limit)}; primary {show(baseline)};{" "}
        {formatCount(requests)} requests
      </span>
    </li>
  );
}

function Log({ id }: { readonly id: string }) {
  const { data } = useReply(historyQuestion);
  // Each act and verdict of a rollout names it in the history.
  const entries = (data?.history ?? []).filter(({ who, action }) => `${who} ${action} `.match(wordOf(id)) !== null);
  return (
    <Section title="Log">
      {entries.length === 0 ? (
        <p className="quiet">Nothing yet.</p>
      ) : (
        <ul className="plain">
          {entries.map((entry) => (
            <li key={entry.id} className="wrap">
              <Ago at={entry.at} /> <span className="quiet">{entry.who}</span> {entry.action}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function wordOf(id: string): RegExp {
  return new RegExp(`rollout ${id.replaceAll(/[^\w-]/g, "\\$&")}\\b`);
}
