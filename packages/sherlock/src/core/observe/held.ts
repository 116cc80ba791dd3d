import { entriesOf } from "../model/block-lines.ts";
import { BLOCK_MAPS, MAP_NAMES, type MapName, POINTER_MAPS } from "../model/plan.ts";
import { emptyMaps, type LoadedStructure, type Running } from "../model/running.ts";
import { blocksOf } from "./answers.ts";

/** What HAProxy holds, as it says itself. */
export interface HeldState {
  readonly loaded: LoadedStructure;
  readonly maps: Readonly<Record<MapName | "draw", ReadonlyMap<string, string>>>;
  readonly servers: Running["servers"];
}

/** The entries of maps sorted into those of blocks and the others. */
export function runningFromHeld({ loaded, maps: has, servers }: HeldState): Running {
  const maps = emptyMaps();
  for (const name of MAP_NAMES) maps[name] = new Map(has[name]);
  const pointers = POINTER_MAPS.flatMap((name) => [...maps[name].values()].map(Number));
  const lines = [...entriesOf("draw", has.draw), ...BLOCK_MAPS.flatMap((map) => entriesOf(map, maps[map]))];
  for (const map of BLOCK_MAPS) maps[map].clear();
  return { loaded, maps, blocks: blocksOf(lines, pointers), servers };
}
