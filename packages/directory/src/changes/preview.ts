import { emptyChange, instanceKey, tableKey, type TableChange } from "@datawire/protocol";
import type { Catalog } from "@datawire/catalog";
import { type Change, emptyRecord } from "../model/records.ts";
import type { State } from "../registry/state.ts";

/**
 * Reads a table as it would be after a change, for `--dry-run`. The table takes the change and gives it back before
 * this returns, so that nobody else can see it: a copy of a table of 100,000 instances would cost more than the answer.
 */
export function preview<T>(state: State, change: Change, read: () => T): T {
  const { table } = state;
  const after = asTableChange(state, change);
  const before = reverse(table, after);
  table.apply(after);
  try {
    return read();
  } finally {
    table.apply(before);
  }
}

function asTableChange({ table, registry, primaries }: State, { tables, services, drains }: Change): TableChange {
  return {
    ...emptyChange(),
    services: services.flatMap(({ key, after }) => {
      const entity = table.service(key)?.service;
      if (entity === undefined) return [];
      const { primary, settings } = after ?? emptyRecord(key);
      return [{ ...entity, primary: primary ?? primaries.first(key), settings }];
    }),
    instances: drains.flatMap(({ key, after }) => {
      const instance = table.instance(key);
      const shown = registry.shownIf(key, after?.atMs ?? null);
      return instance === null || shown === null ? [] : [{ ...instance, ...shown }];
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
    instances: change.instances.flatMap((instance) => table.instance(instanceKey(instance)) ?? []),
    tables: keys.flatMap((key) => table.routeTable(key) ?? []),
    gone: { services: [], instances: [], tables: keys.filter((key) => table.routeTable(key) === null) },
  };
}
