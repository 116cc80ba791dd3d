import { ProtocolError } from "@datawire/protocol";
import { inverse } from "../model/history.ts";
import { type Change, emptyRecord, type HistoryEntry, type ServiceRecord } from "../model/records.ts";
import type { State } from "../registry/state.ts";
import type { Plan } from "../model/change-set.ts";

/**
 * `dw route undo`: takes back the last change that is not undone yet, and brings back exactly what was before it. A
 * route that comes back although its time is over ends again at once.
 */
export function planUndo(state: State): Plan & { readonly undoes: HistoryEntry } {
  const entry = state.history.lastUndoable();
  if (entry === null) throw new ProtocolError("conflict", "Cannot undo: there is no change that is not undone yet");
  const change = inverse(entry.change);
  return {
    action: `undo of ${entry.id}: ${entry.action}`,
    // What is there now is what the undo replaces, whatever has expired or was promoted since.
    change: {
      tables: change.tables.map((swap) => ({ ...swap, before: state.table.routeTable(swap.key) })),
      services: entry.change.services.map((swap) => undoService(swap, state.services.record(swap.key))),
      drains: change.drains.map((swap) => ({ ...swap, before: state.drain(swap.key) })),
    },
    notes: [],
    undoes: entry,
  };
}

/**
 * Takes back what a change did to a service and leaves what became of it otherwise: a primary that was decided in the
 * meantime stays.
 */
function undoService(
  { key, before, after }: Change["services"][number],
  current: ServiceRecord | null,
): Change["services"][number] {
  const from = after ?? emptyRecord(key);
  const to = before ?? emptyRecord(key);
  const now = current ?? emptyRecord(key);
  const settings = restored(now.settings, { from: from.settings, to: to.settings });
  const record = { ...restored(now, { from, to }), settings };
  const isEmpty = JSON.stringify(record) === JSON.stringify(emptyRecord(key));
  return { key, before: current, after: isEmpty ? null : record };
}

/** `now` with each field that differs between `from` and `to` as it is in `to`. */
function restored<T extends object>(now: T, { from, to }: { readonly from: T; readonly to: T }): T {
  const fields = (Object.keys(to) as (keyof T)[]).filter((field) => from[field] !== to[field]);
  return { ...now, ...Object.fromEntries(fields.map((field) => [field, to[field]])) };
}
