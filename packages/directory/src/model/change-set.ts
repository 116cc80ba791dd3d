import type { Change, DurableRecord, HistoryEntry } from "./records.ts";

/** What a command would change. Nothing has changed yet: the executor commits it, or shows it for a dry run. */
export interface Plan {
  /** One line for the history. */
  readonly action: string;
  readonly change: Change;
  /** What the user should know although nothing is wrong. */
  readonly notes: readonly string[];
  /** The entry that the plan takes back. */
  readonly undoes?: HistoryEntry;
  /** Of a rollout: what is written of it together with the change. No undo takes that back. */
  readonly rollout?: readonly DurableRecord[];
  /** Leaves no entry in the history: of a rollout, what was counted alone. */
  readonly quiet?: boolean;
}

/** A change of nothing, to be filled. */
export const emptyChangeSet = (): Change => ({ tables: [], services: [], drains: [] });

/** Leaves out what stays as it is. */
export function effective({ tables, services, drains }: Change): Change {
  return { tables: tables.filter(differs), services: services.filter(differs), drains: drains.filter(differs) };
}

/** Whether a change changes nothing. */
export function isIdle({ tables, services, drains }: Change): boolean {
  return tables.length + services.length + drains.length === 0;
}

function differs({ before, after }: { readonly before: unknown; readonly after: unknown }): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}
