import { type Answer, endpoints } from "@datawire/api";
import { useState } from "react";
import { useReply } from "../../data/console.ts";
import type { Question } from "../../data/entry.ts";
import { Action } from "../../parts/action.tsx";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Page } from "../../parts/page.tsx";
import { StateMark } from "../../parts/state-mark.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { CreateDialog, RevokeDialog } from "./dialogs.tsx";

type Token = Answer<"listTokens">["tokens"][number];

const question: Question<Answer<"listTokens">> = {
  key: "tokens",
  everyMs: 700,
  ask: (client) => client.ask(endpoints.listTokens),
};

const COLUMNS: readonly Column<Token>[] = [
  { key: "id", title: "Token", value: ({ id }) => id, show: ({ id }) => <code>{id}</code> },
  { key: "role", title: "Role", value: ({ role }) => role },
  {
    key: "created",
    title: "Created",
    value: ({ created }) => Date.parse(created),
    show: ({ created, createdBy }) => (
      <>
        <Ago at={created} /> <span className="quiet">by {createdBy}</span>
      </>
    ),
  },
  {
    key: "expires",
    title: "Expires",
    value: ({ expires }) => (expires === null ? null : Date.parse(expires)),
    show: ({ expires, expired }) =>
      expires === null ? "never" : expired ? <StateMark state="expired" /> : <Ago at={expires} />,
  },
];

/** All tokens, without their secrets. */
export function Tokens() {
  const reply = useReply(question);
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<string | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Page
      title="Tokens"
      actions={
        <Action need="administer" kind="primary" onAct={() => setCreating(true)}>
          Create token
        </Action>
      }
    >
      {secret === null ? null : (
        <div className="banner banner-warn">
          <span className="wrap">
            This is shown once: <code data-testid="token-secret">{secret}</code>
          </span>
          <CopyButton label="Copy token" text={secret} />
          <button type="button" onClick={() => setSecret(null)}>
            Done
          </button>
        </div>
      )}
      <Answered reply={reply}>
        {({ tokens }) =>
          tokens.length === 0 ? (
            <Empty title="No tokens">
              They let programs and people in where this directory asks for one: beyond loopback, or as{" "}
              <code>auth</code> in directory.yaml says.
            </Empty>
          ) : (
            <Table
              label="Tokens"
              rows={tokens}
              columns={COLUMNS}
              keyOf={({ id }) => id}
              actions={({ id }) => (
                <Action need="administer" of={id} onAct={() => setRevoked(id)}>
                  Revoke
                </Action>
              )}
            />
          )
        }
      </Answered>
      {isCreating ? <CreateDialog onSecret={setSecret} onClose={() => setCreating(false)} /> : null}
      {revoked === null ? null : <RevokeDialog id={revoked} onClose={() => setRevoked(null)} />}
    </Page>
  );
}
