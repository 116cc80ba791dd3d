import type { SlotRange } from "@datawire/protocol";

/**
 * Draws are looked up with `map_ip`, HAProxy's longest-prefix match: the number that was drawn is added to the base of
 * a block and read as an IPv4 address, and the lines of the block say which range belongs to which target. So any
 * division into slots is data, takes one look-up however many targets there are, and lets a slot keep its owner while
 * others move.
 */

/** Numbers in one block: the least power of two that holds the 10,000 slots of a share. */
export const BLOCK_SIZE = 16_384;
const BLOCK_BITS = 14;

/** How many blocks fit in the numbers that an IPv4 address can be. */
export const BLOCKS_MAX = 2 ** (32 - BLOCK_BITS);

/** Which slots of a block lead to one backend or block. */
export interface BlockPart {
  readonly node: string;
  readonly slots: readonly SlotRange[];
}

/** The lines of a block: the part that comes first has all that no other has. */
export function blockLines(base: number, parts: readonly BlockPart[]): [prefix: string, node: string][] {
  const [rest, ...others] = parts;
  if (rest === undefined) return [];
  const lines: [string, string][] = [[prefix(base, BLOCK_BITS), rest.node]];
  for (const { node, slots } of others) {
    for (const range of slots) {
      for (const cidr of prefixesOf(base, range)) lines.push([cidr, node]);
    }
  }
  return lines;
}

/** The fewest prefixes that together are `[from, to)` of the block at `base`. */
export function prefixesOf(base: number, [from, to]: SlotRange): string[] {
  const prefixes: string[] = [];
  let at = from;
  while (at < to) {
    let bits = 0;
    while (bits < BLOCK_BITS && at % 2 ** (bits + 1) === 0 && at + 2 ** (bits + 1) <= to) bits++;
    prefixes.push(prefix(base + at, bits));
    at += 2 ** bits;
  }
  return prefixes;
}

function prefix(number: number, freeBits: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256);
  return `${bytes.join(".")}/${32 - freeBits}`;
}
