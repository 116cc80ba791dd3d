import { entriesOf } from "../model/block-lines.ts";
import { BLOCK_MAPS, MAP_NAMES, type MapName, POINTER_MAPS } from "../model/plan.ts";
import { emptyMaps, type LoadedStructure, type Running } from "../model/running.ts";
import { OWN_NAME, type Rename, renamedEntry } from "../model/spares.ts";
import { blocksOf } from "./answers.ts";

/** What HAProxy holds, as it says itself. */
export interface HeldState {
  readonly loaded: LoadedStructure;
  readonly maps: Readonly<Record<MapName | "draw", ReadonlyMap<string, string>>>;
  /** By the names that HAProxy has for the backends. */
  readonly servers: Running["servers"];
}

/** The other way about: which backend a spare one is. */
function ofSpares(bySpare: ReadonlyMap<string, string>): Rename {
  return bySpare.size === 0 ? OWN_NAME : (name) => bySpare.get(name) ?? name;
}

/** The entries of maps sorted into those of blocks and the others. */
export function runningFromHeld({ loaded, maps: has, servers }: HeldState): Running {
  const maps = emptyMaps();
  const own = ofSpares(has.carried);
  for (const name of MAP_NAMES)
    if (name !== "carried") maps[name] = new Map([...has[name]].map((entry) => renamedEntry(name, entry, own)));
  const pointers = POINTER_MAPS.flatMap((name) => [...maps[name].values()].map(Number));
  const draw = [...has.draw].map((entry) => renamedEntry("draw", entry, own));
  const lines = [...entriesOf("draw", draw), ...BLOCK_MAPS.flatMap((map) => entriesOf(map, maps[map]))];
  for (const map of BLOCK_MAPS) maps[map].clear();
  return {
    loaded,
    maps,
    blocks: blocksOf(lines, pointers),
    servers: new Map([...servers].map(([name, members]) => [own(name), members])),
    carried: new Map([...has.carried].map(([spare, backend]) => [backend, spare])),
  };
}
