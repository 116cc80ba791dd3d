import { type Answer, endpoints } from "@datawire/api";
import { useMemo } from "react";
import { dwCommand } from "../../core/command.ts";
import { useReply } from "../../data/console.ts";
import type { Question } from "../../data/live.ts";
import { Answered } from "../../parts/answered.tsx";
import { Command } from "../../parts/command.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Distribution } from "../../parts/distribution.tsx";
import type { ProxiedRequest } from "./data.ts";

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

/** Why a request went where it went: where requests like it go by the routes of now. */
export function ExplainDialog({ request, onClose }: ExplainDialogProps) {
  const { caller, service, path, instance } = request;
  const question = useMemo(() => explainQuestion(request), [request]);
  return (
    <Dialog title="Explain" cancel="Close" onClose={onClose}>
      <p>
        {caller} asked for {service}
        {path}
        {instance === null ? ", and no instance took it" : `, and ${instance} took it`}. Where such requests go by the
        routes of now:
      </p>
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
      <p className="quiet">Its headers are not part of a span: what a route wants of them is shown as without them.</p>
      <Command line={dwCommand("explain", `//${caller}`, `//${service}`, path)} />
    </Dialog>
  );
}
