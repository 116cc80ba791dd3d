import { readJsonFile, writeFileAtomically } from "@datawire/runtime";
import { z } from "zod";
import { joinKeys } from "../core/model/keys.ts";
import { MAP_NAMES } from "../core/model/plan.ts";
import { parseMap, parseServersState } from "../core/observe/answers.ts";
import { runningFromHeld } from "../core/observe/held.ts";
import { emptyMaps, type LoadedStructure, type Running } from "../core/model/running.ts";
import type { RunDir } from "./run-dir.ts";
import type { RuntimeApi } from "./runtime-api.ts";

/** Reads from HAProxy itself what it holds. */
export async function readRunning(
  runtime: RuntimeApi,
  { maps: paths }: Pick<RunDir, "maps">,
  loaded: LoadedStructure,
): Promise<Running> {
  const maps = { ...emptyMaps(), draw: new Map<string, string>() };
  for (const name of [...MAP_NAMES, "draw" as const])
    maps[name] = parseMap(await runtime.ask(`show map ${paths[name]}`));
  return runningFromHeld({ loaded, maps, servers: await readServers(runtime) });
}

/** Reads which servers HAProxy has, and how each is set. */
export async function readServers(runtime: RuntimeApi): Promise<Running["servers"]> {
  return parseServersState(await runtime.ask("show servers state"));
}

const BYTES_MAX = 256 * 1024 * 1024;
/** The one that runs and the one that a reload is about to bring. */
const KEPT = 2;

const textMap = z.array(z.tuple([z.string(), z.string()])).transform((entries) => new Map(entries));
const names = z.array(z.string());
const loadedSchema = z.object({
  shared: z.string(),
  listen: names,
  backends: textMap,
  spares: names.default([]),
  listeners: textMap,
  keys: z.object({
    whenHeaders: names,
    whenCookies: names,
    whenQueries: names,
    stickyHeaders: names,
    stickyCookies: names,
    stickyIp: z.boolean(),
    sessionCookies: names,
    baseLengths: z.array(z.number()),
  }),
});
const fileSchema = z.array(z.object({ generation: z.string(), structure: loadedSchema }));

/** Remembers across restarts which structure each version of the configuration has. */
export interface LoadedFile {
  /** The structure of a version; null when it is not known, so that only a reload can help. */
  find(configVersion: string): Promise<LoadedStructure | null>;
  add(configVersion: string, structure: LoadedStructure): Promise<void>;
}

/** Remembers in one file; a damaged one is as good as none. */
export function createLoadedFile(path: string): LoadedFile {
  const read = async (): Promise<z.output<typeof fileSchema>> => {
    const file = await readJsonFile(path, { bytesMax: BYTES_MAX });
    const parsed = file.state === "read" ? fileSchema.safeParse(file.value) : null;
    return parsed?.success === true ? parsed.data : [];
  };
  return {
    async find(configVersion) {
      return (await read()).find((entry) => entry.generation === configVersion)?.structure ?? null;
    },
    async add(configVersion, structure) {
      const entries = [{ generation: configVersion, structure }, ...(await read())].slice(0, KEPT);
      const plain = entries.map((entry) => ({
        generation: entry.generation,
        structure: {
          ...entry.structure,
          backends: [...entry.structure.backends],
          listeners: [...entry.structure.listeners],
        },
      }));
      await writeFileAtomically(path, JSON.stringify(plain), { mode: 0o600 });
    },
  };
}

/** Of an HAProxy whose configuration we do not know: nothing of it is as it should be. */
export const UNKNOWN_STRUCTURE: LoadedStructure = {
  shared: "",
  listen: [],
  backends: new Map(),
  spares: [],
  listeners: new Map(),
  keys: { ...joinKeys([]), baseLengths: [] },
};
