import { halfBase } from "./commands.ts";
import type { MapName, Plan } from "./plan.ts";
import { MAP_NAMES } from "./plan.ts";
import { blockLines } from "./prefixes.ts";
import type { Running, RunningBlock } from "./running.ts";

/** The text of every map file, as a new worker is to read it: each pair of blocks begins with its first half. */
export function mapFiles(plan: Pick<Plan, "maps" | "blocks">): Record<MapName | "draw", string> {
  const draw = [...plan.blocks].toSorted(([a], [b]) => a - b).flatMap(([base, parts]) => blockLines(base, parts));
  const files = MAP_NAMES.map((name) => [name, toText([...plan.maps[name]].sort(([a], [b]) => (a < b ? -1 : 1)))]);
  return { ...Object.fromEntries(files), draw: toText(draw) } as Record<MapName | "draw", string>;
}

/** What a worker holds that has just read those files. */
export function loadedBlocks(plan: Pick<Plan, "blocks">): Running["blocks"] {
  const blocks = new Map<number, RunningBlock>();
  for (const [base, parts] of plan.blocks) {
    blocks.set(base, { half: 0, lines: new Map(blockLines(halfBase(base, 0), parts)), parts });
  }
  return blocks;
}

function toText(lines: readonly (readonly [string, string])[]): string {
  return lines.map(([key, value]) => `${key} ${value}\n`).join("");
}
