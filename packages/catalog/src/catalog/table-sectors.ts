import { SECTOR_DIGITS, SECTORS_MAX } from "@datawire/protocol";

/**
 * A table is divided into sectors by the hashes of its entities' keys. Two tables that are much alike then tell by one
 * number for each sector where they differ, whatever has made them so and however long ago they were the same.
 */

/** A sector that differs is sent as a whole: few entities, while a number for each stays small beside the table. */
const ENTITIES_A_SECTOR = 32;

/** Some of the sectors that a table is divided into. */
export interface Sectors {
  /** How many there are. */
  readonly of: number;
  readonly these: readonly number[];
}

/** How many sectors suit a table of so many entities. */
export function sectorsFor(entities: number): number {
  let count = 1;
  while (count < SECTORS_MAX && count * ENTITIES_A_SECTOR < entities) count *= 2;
  return count;
}

/** How many sectors a text is of; null where it is none of ours. */
export function countSectors(text: string): number | null {
  const count = text.length / SECTOR_DIGITS;
  return Number.isInteger(count) && count > 0 && SECTORS_MAX % count === 0 ? count : null;
}

/** The sectors in which two tables differ, both told by as many. */
export function differingSectors(a: string, b: string): Sectors {
  const of = a.length / SECTOR_DIGITS;
  const at = (text: string, i: number): string => text.slice(i * SECTOR_DIGITS, (i + 1) * SECTOR_DIGITS);
  return { of, these: [...Array(of).keys()].filter((i) => at(a, i) !== at(b, i)) };
}
