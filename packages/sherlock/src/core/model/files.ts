import { own } from "@datawire/protocol";
import { type BlockLine, isBlockMap, linesOf, namedLines } from "./block-lines.ts";
import { halfBase } from "./commands.ts";
import { BLOCK_MAPS, MAP_NAMES, type MapName, type Plan } from "./plan.ts";
import type { Running, RunningBlock } from "./running.ts";
import { bySpare, NOT_CARRIED, renamedEntry, standsIn } from "./spares.ts";

/** What the map files of a plan are made of. */
export type MapSource = Pick<Plan, "parts" | "maps" | "blocks" | "carried">;

const EVERY_MAP: readonly (MapName | "draw")[] = [...MAP_NAMES, "draw"];

/** The text of map files, of all where none are named, as a new worker is to read it: each pair of blocks begins with its first half. */
export function mapFiles<Name extends MapName | "draw" = MapName | "draw">(
  plan: Pick<Plan, "maps" | "blocks" | "carried">,
  names: Iterable<Name> = EVERY_MAP as readonly Name[],
): Record<Name, string> {
  const carried = plan.carried ?? NOT_CARRIED;
  const rename = standsIn(carried);
  const wanted = [...names];
  const ofBlocks = wanted.some(isBlockMap)
    ? Object.groupBy(
        [...plan.blocks].toSorted(([a], [b]) => a - b).flatMap(([base, block]) => linesOf(base, block)),
        ({ map }) => map,
      )
    : {};
  const entries = (map: MapName | "draw", lines: readonly (readonly [string, string])[]): [string, string][] =>
    lines.map((line) => renamedEntry(map, line, rename));
  const pairs = (lines: readonly BlockLine[] = []): [string, string][] => lines.map(({ key, value }) => [key, value]);
  const files = wanted.map((name: MapName | "draw") => {
    if (name === "draw") return [name, toText(entries(name, pairs(ofBlocks.draw)))];
    const ofName = own<BlockLine[] | undefined>(ofBlocks, name);
    const lines = entries(name, ofName === undefined ? [...plan.maps[name]] : pairs(ofName));
    if (name === "carried") lines.push(...bySpare(carried));
    return [name, toText(lines.sort(([a], [b]) => (a < b ? -1 : 1)))];
  });
  return Object.fromEntries(files) as Record<Name, string>;
}

/** The map files of which the text may differ between two plans. */
export function differingMaps(before: MapSource, plan: MapSource): Set<MapName | "draw"> {
  // Each backend that stands elsewhere has another name in most of them.
  if ((before.carried?.size ?? 0) + (plan.carried?.size ?? 0) > 0) return new Set(EVERY_MAP);
  const names = new Set<MapName | "draw">(["state"]);
  for (const service of plan.parts.differences(before.parts)) {
    const [had, has] = [before.parts.get(service), plan.parts.get(service)];
    for (const name of MAP_NAMES)
      if (JSON.stringify(had?.entries[name]) !== JSON.stringify(has?.entries[name])) names.add(name);
    const blocks = new Map(had?.blocks);
    const isSame =
      blocks.size === (has?.blocks ?? []).length && has?.blocks.every(([base, own]) => blocks.get(base) === own);
    if (isSame !== true) for (const name of [...BLOCK_MAPS, "draw" as const]) names.add(name);
  }
  return names;
}

/** The blocks that a worker of HAProxy has just after it has read the files of a plan. */
export function loadedBlocks(plan: Pick<Plan, "blocks">): Running["blocks"] {
  const blocks = new Map<number, RunningBlock>();
  for (const [base, block] of plan.blocks) {
    blocks.set(base, { half: 0, lines: namedLines(halfBase(base, 0), block), block });
  }
  return blocks;
}

function toText(lines: readonly (readonly [string, string])[]): string {
  return lines.map(([key, value]) => `${key} ${value}\n`).join("");
}
