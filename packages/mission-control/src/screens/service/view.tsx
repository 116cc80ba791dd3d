import { useState } from "react";
import { useReply } from "../../data/console.ts";
import { Action } from "../../parts/action.tsx";
import { Answered } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { TrafficCharts } from "../../parts/traffic-charts.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { type ServiceFacts, serviceQuestion } from "./data.ts";
import { BalanceDialog } from "./balance-dialog.tsx";
import { Instances } from "./instances.tsx";
import { PromoteDialog } from "./promote-dialog.tsx";
import { Settings } from "./settings.tsx";
import { Shares } from "./shares.tsx";
import { SharesDialog } from "./shares-dialog.tsx";
import { StartDialog } from "./start-dialog.tsx";

type Open = "shares" | "promote" | "balance" | "rollout" | null;

/** One service: its instances, where its requests go and why, its traffic and its settings. */
export function Service({ name }: { readonly name: string }) {
  const reply = useReply(serviceQuestion(name));
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  // Of what the directory does not know nothing can be changed.
  const isUnknown = reply.data === null && reply.error !== null;
  const actions = (
    <>
      <Action need="change" kind="primary" onAct={() => setOpen("shares")}>
        Edit shares
      </Action>
      <Action need="change" onAct={() => setOpen("promote")}>
        Promote
      </Action>
      <Action need="change" onAct={() => setOpen("balance")}>
        Set balance
      </Action>
      <Action need="change" onAct={() => setOpen("rollout")}>
        Start rollout
      </Action>
    </>
  );
  return (
    <Page title={name} actions={isUnknown ? undefined : actions}>
      <Answered reply={reply}>
        {(facts) => (
          <>
            <Summary facts={facts} />
            <Tabs
              label={`Views of ${name}`}
              tabs={[
                { key: "instances", title: "Instances", show: () => <Instances facts={facts} /> },
                { key: "shares", title: "Shares", show: () => <Shares facts={facts} /> },
                { key: "traffic", title: "Traffic", show: () => <TrafficCharts service={name} /> },
                { key: "settings", title: "Settings", show: () => <Settings facts={facts} /> },
              ]}
            />
            {open === "shares" ? <SharesDialog facts={facts} onClose={close} /> : null}
            {open === "promote" ? <PromoteDialog facts={facts} onClose={close} /> : null}
            {open === "rollout" ? <StartDialog facts={facts} onClose={close} /> : null}
            {open === "balance" ? <BalanceDialog facts={facts} onClose={close} /> : null}
          </>
        )}
      </Answered>
    </Page>
  );
}

function Summary({ facts: { service, settings } }: { readonly facts: ServiceFacts }) {
  const { status, reason, primary, protocol } = service;
  return (
    <>
      <p className="summary">
        <StateMark state={status} />
        <span>
          <span className="quiet">primary</span> {primary ?? "without a version"}
        </span>
        <span>
          <span className="quiet">protocol</span> {protocol}
        </span>
        <span>
          <span className="quiet">balance</span> {settings.balance ?? "round-robin"}
        </span>
      </p>
      {reason === null ? null : <p className="banner banner-warn">{reason}</p>}
    </>
  );
}
