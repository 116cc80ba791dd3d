import type { VersionedRecord } from "./contract.ts";

/** A record without its version; null removes it. */
export type PlainRecord = Pick<VersionedRecord, "key" | "value">;

/**
 * What has to be written so that a store which holds `current` holds `wanted`, and no other records.
 * @param keeps which records stay although they are not wanted; default: none.
 */
export function replacing(
  current: readonly VersionedRecord[],
  wanted: readonly PlainRecord[],
  keeps: (key: string) => boolean = () => false,
): PlainRecord[] {
  const before = new Map(current.map(({ key, value }) => [key, JSON.stringify(value)]));
  const after = new Map(wanted.map(({ key, value }) => [key, JSON.stringify(value)]));
  const changed = wanted.filter(({ key }) => before.get(key) !== after.get(key));
  const removed = current.filter(({ key }) => !after.has(key) && !keeps(key)).map(({ key }) => ({ key, value: null }));
  return [...changed, ...removed];
}

/**
 * Cuts writes into parts that a store takes, which may be large: records may be, so that parts are well below what it
 * takes at once. Always at least one part.
 */
export function* inParts<T>(writes: readonly T[], { writesMax }: { readonly writesMax: number }): Generator<T[]> {
  const size = Math.floor(writesMax / 4);
  let at = 0;
  for (; writes.length - at > size; at += size) yield writes.slice(at, at + size);
  yield writes.slice(at);
}
