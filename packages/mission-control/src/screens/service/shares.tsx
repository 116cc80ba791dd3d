import type { RouteListing } from "@datawire/api";
import { useState } from "react";
import { formatShare } from "../../core/format.ts";
import { Action } from "../../parts/action.tsx";
import { Ago } from "../../parts/ago.tsx";
import { Empty } from "../../parts/answered.tsx";
import { Distribution } from "../../parts/distribution.tsx";
import { Section } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import type { ServiceFacts } from "./data.ts";
import { RemoveDialog } from "./remove-dialog.tsx";

/** Where the requests of each caller go and why, and the routes behind it. */
export function Shares({ facts }: { readonly facts: ServiceFacts }) {
  const { distributions, routes } = facts;
  const [removed, setRemoved] = useState<RouteListing | null>(null);
  return (
    <>
      {distributions.length === 0 ? <Empty title="No requests can be led anywhere yet" /> : null}
      {distributions.map((explanation) => (
        <Section key={explanation.caller} title={explanation.caller === "*" ? "Any caller" : explanation.caller}>
          <div data-testid="shares" data-key={explanation.caller} className="table-frame" tabIndex={0}>
            <Distribution explanation={explanation} />
          </div>
          {explanation.excluded.length === 0 ? null : (
            <details>
              <summary>{explanation.excluded.length} without requests</summary>
              <ul className="plain">
                {explanation.excluded.map(({ name, reason }) => (
                  <li key={name}>
                    {name} <span className="quiet">{reason}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </Section>
      ))}
      <Section title="Routes">
        {routes.length === 0 ? (
          <Empty title="No routes">All requests go to the primary. Edit shares leads some of them elsewhere.</Empty>
        ) : (
          <ul className="plain routes">
            {routes.map((route) => (
              <RouteItem key={`${route.caller} ${route.reading} ${route.target}`} route={route} onRemove={setRemoved} />
            ))}
          </ul>
        )}
      </Section>
      {removed === null ? null : <RemoveDialog route={removed} onClose={() => setRemoved(null)} />}
    </>
  );
}

function RouteItem({ route, onRemove }: { route: RouteListing; onRemove: (route: RouteListing) => void }) {
  const { caller, target, percent, status, when, sticky, expires } = route;
  return (
    <li>
      <span className="route-text">
        {caller === "*" ? "any caller" : caller} <span aria-hidden="true">→</span>
        <span className="unseen">to</span> <strong>{target}</strong> {formatShare(percent)}
        {when === null ? null : <span className="quiet">when {when}</span>}
        {sticky === null ? null : <span className="quiet">sticky by {sticky}</span>}
        {expires === null ? null : (
          <span className="quiet">
            ends <Ago at={expires} />
          </span>
        )}
        <StateMark state={status} />
      </span>
      <Action need="change" of={`${caller} to ${target}`} onAct={() => onRemove(route)}>
        Remove route
      </Action>
    </li>
  );
}
