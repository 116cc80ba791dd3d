import { useState } from "react";
import { useConsole } from "../data/console.ts";
import { useStore } from "../data/store.ts";
import { Action } from "../parts/action.tsx";
import { UndoDialog } from "../parts/undo-dialog.tsx";

/** What was done, at the foot of the window. */
export function NoticeList() {
  const { notices } = useConsole();
  const list = useStore(notices.list);
  const [isUndoing, setUndoing] = useState(false);
  return (
    <>
      <div className="notices" role="status">
        {list.map(({ id, text, isUndoable }) => (
          <div key={id} data-testid="notice" className="notice">
            <span>{text}</span>
            {isUndoable ? (
              <Action need="change" onAct={() => setUndoing(true)}>
                Undo
              </Action>
            ) : null}
            <button type="button" onClick={() => notices.dismiss(id)}>
              Dismiss
            </button>
          </div>
        ))}
      </div>
      {isUndoing ? <UndoDialog onClose={() => setUndoing(false)} /> : null}
    </>
  );
}
