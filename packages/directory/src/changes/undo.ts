import { ProtocolError, type RouteTable } from "@datawire/protocol";
import { inverse } from "../model/history.ts";
import { type Change, emptyRecord, type HistoryEntry, type ServiceRecord } from "../model/records.ts";
import type { State } from "../registry/state.ts";
import { effective, isIdle, type Plan } from "../model/change-set.ts";
import type { Moment } from "../model/moment.ts";
import { leftByRollouts } from "./left-by-rollouts.ts";

/**
 * `dw route undo`: takes back the last change that is not undone yet, and brings back exactly what was before it, but
 * for the shares of rollouts that have ended since. A route that comes back although its time is over ends again at once.
 */
export function planUndo(state: State, { wallMs }: Moment): Plan & { readonly undoes: HistoryEntry } {
  const entry = state.history.lastUndoable();
  if (entry === null) throw new ProtocolError("conflict", "Cannot undo: there is no change that is not undone yet");
  const back = inverse(entry.change);
  // What is there now is what the undo replaces, whatever has expired or was promoted since.
  const tables = back.tables.map((swap) => ({ key: swap.key, ...leftByRollouts(state.rollouts, entry, swap) }));
  const change = {
    tables: tables.map(({ key, after }) => ({ key, before: state.table.routeTable(key), after })),
    services: entry.change.services.map((swap) => undoService(swap, state.services.record(swap.key))),
    drains: back.drains.map((swap) => ({ ...swap, before: state.drain(swap.key) })),
  };
  return {
    action: `undo of ${entry.id}: ${entry.action}`,
    change,
    notes: isIdle(effective(change))
      ? [whyIdle(entry, wallMs)]
      : [...tables.flatMap(({ notes }) => notes), ...endsAgain(change, wallMs)],
    undoes: entry,
  };
}

/** What whoever undoes a change should know of which nothing is left. */
function whyIdle(entry: HistoryEntry, wallMs: number): string {
  const ended = timeOver(
    entry.change.tables.map(({ after }) => after),
    wallMs,
  );
  const why =
    ended.length === 0
      ? "everything is as it was before that change already"
      : `the time of ${ended.join(", ")} was over, and what was before it had come back by itself`;
  return `nothing had to be taken back: ${why}`;
}

/** What comes back for no longer than until the next look at what is over. */
function endsAgain({ tables }: Pick<Change, "tables">, wallMs: number): string[] {
  const ends = timeOver(
    tables.map(({ after }) => after),
    wallMs,
  );
  return ends.length === 0 ? [] : [`the time of ${ends.join(", ")} is over, so that it ends again at once`];
}

/** The targets whose time is over. */
function timeOver(tables: readonly (RouteTable | null)[], wallMs: number): string[] {
  const routes = tables.flatMap((table) => table?.routes ?? []);
  return routes.flatMap(({ target, expiry }) => (expiry !== null && expiry.atMs <= wallMs ? [target] : []));
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
