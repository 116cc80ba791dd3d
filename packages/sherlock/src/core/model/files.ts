import { own } from "@datawire/protocol";
import { type BlockLine, linesOf, namedLines } from "./block-lines.ts";
import { halfBase } from "./commands.ts";
import { MAP_NAMES, type MapName, type Plan } from "./plan.ts";
import type { Running, RunningBlock } from "./running.ts";
import { bySpare, NOT_CARRIED, renamedEntry, standsIn } from "./spares.ts";

/** The text of every map file, as a new worker is to read it: each pair of blocks begins with its first half. */
export function mapFiles(plan: Pick<Plan, "maps" | "blocks" | "carried">): Record<MapName | "draw", string> {
  const carried = plan.carried ?? NOT_CARRIED;
  const rename = standsIn(carried);
  const ofBlocks = Object.groupBy(
    [...plan.blocks].toSorted(([a], [b]) => a - b).flatMap(([base, block]) => linesOf(base, block)),
    ({ map }) => map,
  );
  const entries = (map: MapName | "draw", lines: readonly (readonly [string, string])[]): [string, string][] =>
    lines.map((line) => renamedEntry(map, line, rename));
  const pairs = (lines: readonly BlockLine[] = []): [string, string][] => lines.map(({ key, value }) => [key, value]);
  const files = MAP_NAMES.map((name) => {
    const ofName = own<BlockLine[] | undefined>(ofBlocks, name);
    const lines = entries(name, ofName === undefined ? [...plan.maps[name]] : pairs(ofName));
    if (name === "carried") lines.push(...bySpare(carried));
    return [name, toText(lines.sort(([a], [b]) => (a < b ? -1 : 1)))];
  });
  return { ...Object.fromEntries(files), draw: toText(entries("draw", pairs(ofBlocks.draw))) } as Record<
    MapName | "draw",
    string
  >;
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
