import type { RolloutListing } from "@datawire/api";
import { useState } from "react";
import { pathOf } from "../../core/address.ts";
import { formatShare } from "../../core/format.ts";
import { useReply } from "../../data/console.ts";
import { historyQuestion } from "../../data/questions.ts";
import { Action } from "../../parts/action.tsx";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Link } from "../../parts/link.tsx";
import { Page, Section } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { isGoing, rolloutQuestion, shareOf } from "./data.ts";
import { CommandDialog, type RolloutVerb } from "./command-dialog.tsx";
import { Beside } from "./beside.tsx";
import { Steps } from "./steps.tsx";

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
              <Steps rollout={rollout} />
              <Beside rollout={rollout} />
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

const BANNERS: ReadonlyMap<RolloutListing["state"], string> = new Map([
  ["paused", "banner-warn"],
  ["rolled-back", "banner-bad"],
  ["aborted", "banner-warn"],
]);

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
      {reason === null ? null : <p className={`banner ${BANNERS.get(state) ?? "banner-plain"}`}>{reason}</p>}
    </>
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
