import { instanceKey } from "@datawire/protocol";
import type { WatsonChange } from "../../registry/dirty-set.ts";
import type { Guard, Swap } from "./etcd-client.ts";
import type { Keys } from "./keys.ts";

/** A transaction of etcd; the first one that writes what a Watson's key holds is the one that claims the Watson. */
export interface Transaction {
  readonly swaps: readonly Swap[];
  readonly guards: readonly Guard[];
}

/** Of operations that etcd takes in one transaction (`--max-txn-ops`, 128), leaving room for two guards. */
const SWAPS_MAX = 120;
/** Etcd takes requests of up to 1.5 MiB (`--max-request-bytes`); base64 and the fields around a value come on top. */
const BYTES_MAX = 512 * 1024;

/**
 * The transactions that write what changed of one Watson, in order: each is guarded by the Watson's key, so that none
 * of them is written once another directory has seen the Watson. A claim comes first; forgetting it comes last.
 */
export function watsonTransactions(
  { watson, sighting, stored, gone, away }: WatsonChange,
  { keys, revision }: { readonly keys: Keys; readonly revision: (key: string) => number },
): Transaction[] {
  const watsonKey = keys.of("watsons", watson);
  const swap = (key: string, value: unknown): Swap => ({
    key,
    value: value === null ? null : JSON.stringify(value),
    expected: revision(key),
  });
  const instances = [
    ...stored.map((one) => swap(keys.of("instances", instanceKey(one.registration)), one)),
    ...gone.map((key) => swap(keys.of("instances", key), null)),
  ].filter(isEffective);
  const guards = [
    { key: watsonKey, expected: revision(watsonKey) },
    ...(away === null ? [] : [{ key: keys.of("replicas", away), expected: 0 }]),
  ];
  const about = sighting === undefined ? [] : [swap(watsonKey, sighting)].filter(isEffective);
  const swaps = sighting === null ? [...instances, ...about] : [...about, ...instances];
  return batches(swaps).map((batch) => ({
    swaps: batch,
    guards: guards.filter(({ key }) => !batch.some((one) => one.key === key)),
  }));
}

/** Removing what is not there is nothing to do. */
function isEffective({ value, expected }: Swap): boolean {
  return value !== null || expected !== 0;
}

function batches(swaps: readonly Swap[]): Swap[][] {
  const made: Swap[][] = [];
  let bytes = 0;
  for (const swap of swaps) {
    const size = swap.key.length * 2 + (swap.value?.length ?? 0);
    const last = made.at(-1);
    if (last === undefined || last.length >= SWAPS_MAX || bytes + size > BYTES_MAX) {
      made.push([swap]);
      bytes = size;
    } else {
      last.push(swap);
      bytes += size;
    }
  }
  return made;
}
