import type { DistributionRow } from "./distribution-rows.ts";

/** A row that is not as it was. */
export interface RowChange {
  readonly kind: "new" | "gone" | "changed";
  readonly row: DistributionRow;
}

/** Remembers the rows of each service, and tells what a new state of one changes. */
export interface RowChanges {
  take(service: string, rows: readonly DistributionRow[]): RowChange[];
}

/** Begins with no rows. */
export function createRowChanges(): RowChanges {
  const known = new Map<string, Map<string, DistributionRow>>();
  return {
    take(service, rows) {
      const before = known.get(service) ?? new Map<string, DistributionRow>();
      const after = new Map(rows.map((row) => [`${row.caller}>${row.target}`, row]));
      if (rows.length === 0) known.delete(service);
      else known.set(service, after);
      const changes: RowChange[] = [];
      for (const [key, row] of after) {
        const old = before.get(key);
        if (old === undefined) changes.push({ kind: "new", row });
        else if (differs(old, row)) changes.push({ kind: "changed", row });
      }
      for (const [key, row] of before) if (!after.has(key)) changes.push({ kind: "gone", row });
      return changes;
    },
  };
}

/** The time left of a route alone is no change. */
function differs(a: DistributionRow, b: DistributionRow): boolean {
  const withoutTime = ({ route, ...row }: DistributionRow): string =>
    JSON.stringify({ ...row, route: route.replace(/, [^,]* left/, "") });
  return withoutTime(a) !== withoutTime(b);
}
