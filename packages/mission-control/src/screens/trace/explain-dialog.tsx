import { type Answer, endpoints } from "@datawire/api";
import { useMemo } from "react";
import { dwCommand } from "../../core/command.ts";
import { plural } from "../../core/format.ts";
import { useReply } from "../../data/console.ts";
import type { Question } from "../../data/entry.ts";
import { HISTORY_MAX, historyQuestion } from "../../data/questions.ts";
import { Ago } from "../../parts/ago.tsx";
import { Answered } from "../../parts/answered.tsx";
import { Command } from "../../parts/command.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Distribution } from "../../parts/distribution.tsx";
import { changesSince, type ProxiedRequest } from "./data.ts";

function explainQuestion({ caller, service, path }: ProxiedRequest): Question<Answer<"explain">> {
  return {
    key: `explain/${caller}/${service}${path}`,
    everyMs: null,
    ask: (client) => client.ask(endpoints.explain, { query: { caller, service, path } }),
  };
}

interface ExplainDialogProps {
  readonly request: ProxiedRequest;
  readonly onClose: () => void;
}

/** Why a request went where it went: where requests like it go by the routes of now, and what was changed since. */
export function ExplainDialog({ request, onClose }: ExplainDialogProps) {
  const { caller, service, path, instance } = request;
  const question = useMemo(() => explainQuestion(request), [request]);
  return (
    <Dialog title="Explain" cancel="Close" onClose={onClose}>
      <p>
        {caller} asked for {service}
        {path}
        {instance === null ? ", and no instance took it" : `, and ${instance} took it`}.
      </p>
      <Since request={request} />
      <p>By the routes of now, such requests go:</p>
      <Answered reply={useReply(question)}>
        {({ explanation }) => (
          <>
            <div className="preview" role="region" aria-label="Distribution" tabIndex={0}>
              <Distribution explanation={explanation} />
            </div>
            {explanation.excluded.length === 0 ? null : (
              <ul className="plain">
                {explanation.excluded.map(({ name, reason }) => (
                  <li key={name}>
                    {name} <span className="quiet">{reason}</span>
                  </li>
                ))}
              </ul>
            )}
          </>
        )}
      </Answered>
      <p className="quiet">
        Its headers are not part of a span: what a route wants of them is shown as without them. With{" "}
        <code>explain: on</code> in sherlock.yaml, the answer to a request with <code>X-Datawire-Explain: 1</code> says
        by which rule of which revision it went.
      </p>
      <Command line={dwCommand("explain", `//${caller}`, `//${service}`, path)} />
    </Dialog>
  );
}

const SHOWN_MAX = 5;

/** What was changed of the service since the request: the routes that it met may be others than those of now. */
function Since({ request: { service, atMs } }: { readonly request: ProxiedRequest }) {
  return (
    <Answered reply={useReply(historyQuestion)}>
      {({ history }) => {
        const changes = changesSince(history, { service, atMs, max: HISTORY_MAX });
        if (changes === null)
          return (
            <p className="banner banner-warn">The history does not reach back to it: it may have met other routes.</p>
          );
        if (changes.length === 0) return <p>Nothing of {service} was changed by hand or rollout since.</p>;
        return (
          <div className="banner banner-warn">
            <div>
              <p>
                {plural(changes.length, "change")} of {service} since: it may have met other routes.
              </p>
              <ul className="plain">
                {changes.slice(0, SHOWN_MAX).map(({ id, at, who, action }) => (
                  <li key={id}>
                    <Ago at={at} /> <span className="quiet">{who}</span> {action}
                  </li>
                ))}
              </ul>
            </div>
          </div>
        );
      }}
    </Answered>
  );
}
