import type { DeltaLog, Position } from "./delta-log.ts";

/**
 * Which of some services have had their routes changed after a position; null where that is not known any more, as of
 * another life of the table.
 */
export function changedRoutes(log: DeltaLog, position: Position, services: ReadonlySet<string>): string[] | null {
  if (!log.covers(position)) return null;
  const changed = new Set<string>();
  for (let next = log.after(position.revision); next !== null; next = log.after(next.revision)) {
    const { tables, gone } = next.change;
    for (const { service } of tables) changed.add(service);
    // The key of a route table is CALLER>SERVICE.
    for (const key of gone.tables) changed.add(key.slice(key.lastIndexOf(">") + 1));
  }
  return [...changed].filter((service) => services.has(service));
}
