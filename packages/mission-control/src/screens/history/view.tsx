import type { Answer } from "@datawire/api";
import { useMemo, useState } from "react";
import { matches } from "../../core/rows.ts";
import { useParam, useReply } from "../../data/console.ts";
import { historyQuestion } from "../../data/questions.ts";
import { Action } from "../../parts/action.tsx";
import { Ago } from "../../parts/ago.tsx";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { type Column, Table } from "../../parts/table.tsx";
import { Search, Toolbar } from "../../parts/toolbar.tsx";
import { UndoDialog } from "../../parts/undo-dialog.tsx";

type Change = Answer<"history">["history"][number];

const COLUMNS: readonly Column<Change>[] = [
  { key: "at", title: "When", value: ({ at }) => Date.parse(at), show: ({ at }) => <Ago at={at} /> },
  {
    key: "who",
    title: "Who",
    value: ({ who }) => who,
    show: ({ who, verified }) => (
      <span title={verified ? "A token proves it" : "As they named themselves"}>
        {who}
        {verified ? <span className="quiet"> verified</span> : null}
      </span>
    ),
  },
  { key: "what", title: "What", value: ({ action }) => action, show: ({ action }) => <code>{action}</code> },
  {
    key: "undone",
    title: "Undone",
    value: ({ undone }) => (undone ? 1 : 0),
    show: ({ undone }) => (undone ? "undone" : ""),
  },
];

/** Every change that was made, the newest first. */
export function History() {
  const reply = useReply(historyQuestion);
  const [isOpen, setOpen] = useState(false);
  return (
    <Page
      title="History"
      actions={
        <Action need="change" onAct={() => setOpen(true)}>
          Undo
        </Action>
      }
    >
      <Toolbar>
        <Search placeholder="Who or what" />
      </Toolbar>
      <Answered reply={reply}>{({ history }) => <List changes={history} />}</Answered>
      {isOpen ? <UndoDialog onClose={() => setOpen(false)} /> : null}
    </Page>
  );
}

function List({ changes }: { readonly changes: readonly Change[] }) {
  const [search] = useParam("q");
  const shown = useMemo(() => changes.filter(({ who, action }) => matches(search, who, action)), [changes, search]);
  if (changes.length === 0)
    return <Empty title="No changes yet">What is done here or with dw is listed with who did it.</Empty>;
  if (shown.length === 0) return <Empty title="No change matches">Change the search.</Empty>;
  return <Table label="Changes" rows={shown} columns={COLUMNS} keyOf={({ id }) => String(id)} />;
}
