import { BLOCK_MAPS, type BlockMapName, type PlannedBlock } from "./plan.ts";
import { BLOCK_SIZE, blockLines } from "./prefixes.ts";

/** One entry of a map. */
export interface BlockLine {
  readonly map: BlockMapName | "draw";
  readonly key: string;
  readonly value: string;
}

/** The entries that a block has in all maps when it stands at `base`. */
export function linesOf(base: number, { parts, rules }: PlannedBlock): BlockLine[] {
  return [
    ...blockLines(base, parts).map(([key, value]): BlockLine => ({ map: "draw", key, value })),
    ...rules.map(({ map, suffix, value }) => ({ map, key: `${base}${suffix}`, value })),
  ];
}

/** The same by name. */
export function namedLines(base: number, block: PlannedBlock): Map<string, BlockLine> {
  return new Map(linesOf(base, block).map((line) => [lineName(line), line]));
}

/** The entries of a map as lines. */
export function entriesOf(
  map: BlockLine["map"],
  entries: Iterable<readonly [key: string, value: string]>,
): BlockLine[] {
  return [...entries].map(([key, value]) => ({ map, key, value }));
}

/** Names an entry among those of all maps. */
export function lineName({ map, key }: Pick<BlockLine, "map" | "key">): string {
  return `${map} ${key}`;
}

/** The base of the block that an entry belongs to, one half of a pair. */
export function blockOf({ map, key }: Pick<BlockLine, "map" | "key">): number {
  const number = map === "draw" ? numberOf(key) : Number.parseInt(key, 10);
  return number - (number % BLOCK_SIZE);
}

/** The number that a prefix written as an address begins with. */
function numberOf(prefix: string): number {
  const [address = ""] = prefix.split("/");
  return address.split(".").reduce((number, byte) => number * 256 + Number(byte), 0);
}

/** Whether the entries of a map belong to blocks. */
export function isBlockMap(map: string): map is BlockMapName | "draw" {
  return map === "draw" || (BLOCK_MAPS as readonly string[]).includes(map);
}
