/**
 * Rows after some of them changed and some went: what changed of a row is put over it, so that fields which are left out
 * stay as they were; rows that are new come last, or first where `newestFirst`.
 */
export function mergeRows<Row extends object>(
  rows: readonly Row[],
  { changed, gone }: { readonly changed: readonly unknown[]; readonly gone: readonly (string | number)[] },
  { keyOf, newestFirst = false }: { readonly keyOf: (row: Row) => string | number; readonly newestFirst?: boolean },
): Row[] {
  const away = new Set(gone.map(String));
  const updates = new Map((changed as readonly Row[]).map((row) => [String(keyOf(row)), row]));
  const kept = rows.flatMap((row) => {
    const key = String(keyOf(row));
    const update = updates.get(key);
    updates.delete(key);
    if (away.has(key)) return [];
    return [update === undefined ? row : { ...row, ...update }];
  });
  return newestFirst ? [...updates.values(), ...kept] : [...kept, ...updates.values()];
}
