import type { BlockLine } from "./block-lines.ts";
import { digest } from "./hash.ts";
import {
  type BackendStructure,
  type Carried,
  MAP_NAMES,
  type MapName,
  type PlannedBlock,
  type PlannedServer,
  type RequestKeys,
  type Structure,
} from "./plan.ts";

/** What a running HAProxy was configured with, as far as it decides whether a plan needs a reload. */
export interface LoadedStructure {
  /** Everything that is not part of a plan: template, listeners, limits of the process. */
  readonly shared: string;
  /** Where HTTP is listened for, as `HOST:PORT`. */
  readonly listen: readonly string[];
  /** backend → a digest of its structure. */
  readonly backends: ReadonlyMap<string, string>;
  /** TCP service → `host:port`. */
  readonly listeners: ReadonlyMap<string, string>;
  readonly keys: RequestKeys;
  /** The names of its spare backends, whether or not something stands in them. */
  readonly spares: readonly string[];
}

/** A server as HAProxy holds it. */
export interface RunningServer extends Pick<PlannedServer, "address" | "port" | "weight" | "ready" | "id"> {}

/** The half of a pair of blocks that is in use, with its lines. */
export interface RunningBlock {
  readonly half: 0 | 1;
  /** By name. */
  readonly lines: ReadonlyMap<string, BlockLine>;
  /** What the lines were made from, where that is known: the same object needs no comparison. */
  readonly block: PlannedBlock | null;
}

/** What HAProxy has now. It is mutable, since a step changes one line of many thousands. */
export interface Running {
  readonly loaded: LoadedStructure;
  readonly servers: Map<string, Map<string, RunningServer>>;
  /** Without what belongs to blocks. */
  readonly maps: Record<MapName, Map<string, string>>;
  readonly blocks: Map<number, RunningBlock>;
  /**
   * Backends that use spare ones, and which: they exist in addition to those of `loaded`, and are in `servers` and
   * `maps`.
   */
  readonly carried: Map<string, string>;
}

/** What `LoadedStructure` has beside what plans say. */
export interface StructureOptions extends Pick<LoadedStructure, "shared" | "listen" | "spares"> {
  /** Which backends of the plan stand in which spare ones. */
  readonly carried: Carried;
}

/** Whether HAProxy has a backend, under its own name or in a spare one. */
export function hasBackend({ loaded, carried }: Pick<Running, "loaded" | "carried">, name: string): boolean {
  return loaded.backends.has(name) || carried.has(name);
}

/** What a structure looks like to `LoadedStructure`. */
export function describeStructure(
  structure: Structure,
  { shared, listen, spares, carried }: StructureOptions,
): LoadedStructure {
  const own = [...structure.backends].filter(([name]) => !carried.has(name));
  return {
    shared,
    listen,
    spares,
    backends: new Map(own.map(([name, backend]) => [name, describeBackend(backend)])),
    listeners: new Map([...structure.tcpListeners].map(([service, { host, port }]) => [service, `${host}:${port}`])),
    keys: structure.keys,
  };
}

const described = new WeakMap<BackendStructure, string>();

/**
 * A digest of the structure of a backend: the whole text of thousands, for what HAProxy has and for what it is to have,
 * took a megabyte and more. The planner reuses the objects of services that did not change, so each is looked through once.
 */
export function describeBackend(backend: BackendStructure): string {
  const known = described.get(backend);
  if (known !== undefined) return known;
  const description = digest(JSON.stringify(backend));
  described.set(backend, description);
  return description;
}

/** All maps, without an entry. */
export function emptyMaps(): Record<MapName, Map<string, string>> {
  return Object.fromEntries(MAP_NAMES.map((name) => [name, new Map<string, string>()])) as Running["maps"];
}

/** The service that an entry of a map, a node or a backend belongs to: each name begins with it, and none of these stands in it. */
export function ownerOf(name: string): string {
  return /^\/?([^/|>:]*)/.exec(name)?.[1] ?? name;
}
