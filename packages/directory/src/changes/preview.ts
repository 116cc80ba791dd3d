import { emptyChange, tableKey, type TableChange } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import type { Change } from "../model/records.ts";

/**
 * Reads a table as it would be after a change, for `--dry-run`. The table takes the change and gives it back before
 * this returns, so that nobody else can see it: a copy of a table of 100,000 instances would cost more than the answer.
 */
export function preview<T>(table: Catalog, change: Change, read: () => T): T {
  const after = asTableChange(table, change);
  const before = reverse(table, after);
  table.apply(after);
  try {
    return read();
  } finally {
    table.apply(before);
  }
}

function asTableChange(table: Catalog, { tables, services }: Change): TableChange {
  return {
    ...emptyChange(),
    services: services.flatMap(({ key, after }) => {
      const entity = table.service(key)?.service;
      if (entity === undefined || after === null) return [];
      return [{ ...entity, primary: after.primary, settings: after.settings }];
    }),
    tables: tables.flatMap(({ after }) => after ?? []),
    gone: {
      services: [],
      instances: [],
      tables: tables.filter(({ after }) => after === null).map(({ key }) => key),
    },
  };
}

function reverse(table: Catalog, change: TableChange): TableChange {
  const keys = [...change.tables.map(tableKey), ...change.gone.tables];
  return {
    ...emptyChange(),
    services: change.services.flatMap(({ name }) => table.service(name)?.service ?? []),
    tables: keys.flatMap((key) => table.routeTable(key) ?? []),
    gone: { services: [], instances: [], tables: keys.filter((key) => table.routeTable(key) === null) },
  };
}
