import { ProtocolError } from "@datawire/protocol";
import { inverse } from "../history.ts";
import type { State } from "../state.ts";
import type { Plan } from "./plan.ts";

/**
 * `dw route undo`: takes back the last change that is not undone yet, and brings back exactly what was before it. A
 * route that comes back although its time is over ends again at once.
 */
export function planUndo(state: State): Plan {
  const entry = state.history.lastUndoable();
  if (entry === null) throw new ProtocolError("conflict", "Cannot undo: there is no change that is not undone yet");
  const change = inverse(entry.change);
  return {
    action: `undo of ${entry.id}: ${entry.action}`,
    // What is there now is what the undo replaces, whatever has expired or was promoted since.
    change: {
      tables: change.tables.map((swap) => ({ ...swap, before: state.table.table(swap.key) })),
      services: change.services.map((swap) => ({ ...swap, before: state.services.record(swap.key) })),
      drains: change.drains.map((swap) => ({ ...swap, before: state.drain(swap.key) })),
    },
    notes: [],
    undoes: entry,
  };
}
