import type { Command } from "./commands.ts";
import { halfBase } from "./commands.ts";
import type { MapName, Plan, PlannedServer } from "./plan.ts";
import { MAP_NAMES, OWN_BACKENDS, POINTER_MAPS } from "./plan.ts";
import type { BlockPart } from "./prefixes.ts";
import { BLOCK_SIZE, blockLines } from "./prefixes.ts";
import { describeBackend, type LoadedStructure, type Running, type RunningServer } from "./running.ts";

/** What a reload is for, as metrics count it. */
export type ReloadReason =
  | "start"
  | "settings"
  | "service"
  | "backend"
  | "key"
  | "tcp port"
  | "unused"
  | "repair"
  | "server";

/** A reload, and what makes it necessary. */
export interface Reload {
  readonly reason: ReloadReason;
  /** What it is about, for the log. */
  readonly detail: string;
}

/** What makes a running HAProxy follow a plan: commands now, and the reload that the rest needs. Both may be empty. */
export interface Steps {
  readonly commands: readonly Command[];
  readonly reload: Reload | null;
}

export interface StepsOptions {
  /** What `LoadedStructure.shared` has to be. */
  readonly shared: string;
  /** Whether servers can be added at run time. */
  readonly dynamicServers: boolean;
  /** Backends that nothing needs any more are taken out by the next reload; only so many wait for one. */
  readonly unusedBackendsMax: number;
}

/** Says what to do so that a running HAProxy becomes what the plan says. */
export function steps(running: Running, plan: Plan, options: StepsOptions): Steps {
  const wait = waitingServices(running.loaded, plan);
  const servers = serverSteps(running, plan, options);
  return {
    commands: [...servers.arrivals, ...mapSteps(running, plan, wait), ...servers.departures],
    reload: structuralReload(running.loaded, plan, options) ?? servers.reload,
  };
}

/** The services whose maps lead to backends that only a reload brings: their maps stay as they are until then. */
function waitingServices(loaded: LoadedStructure, plan: Plan): Set<string> {
  const waiting = new Set<string>();
  for (const [service, backends] of plan.needs) {
    for (const backend of backends) {
      if (!OWN_BACKENDS.has(backend) && !loaded.backends.has(backend)) waiting.add(service);
    }
  }
  return waiting;
}

function structuralReload(loaded: LoadedStructure, plan: Plan, options: StepsOptions): Reload | null {
  if (loaded.shared !== options.shared) return { reason: "settings", detail: "the settings or the template changed" };
  const { backends, tcpListeners, keys } = plan.structure;
  for (const [name, structure] of backends) {
    const known = loaded.backends.get(name);
    if (known === undefined) {
      const isNew = ![...loaded.backends.keys()].some((other) => other.startsWith(`${structure.service}:`));
      return { reason: isNew ? "service" : "backend", detail: name };
    }
    if (known !== describeBackend(structure)) return { reason: "settings", detail: name };
  }
  for (const [service, { host, port }] of tcpListeners) {
    if (loaded.listeners.get(service) !== `${host}:${port}`) return { reason: "tcp port", detail: service };
  }
  const gonePort = [...loaded.listeners.keys()].find((service) => !tcpListeners.has(service));
  if (gonePort !== undefined) return { reason: "tcp port", detail: gonePort };
  for (const [kind, wanted] of Object.entries(keys)) {
    const have = loaded.keys[kind as keyof typeof keys];
    if (Array.isArray(wanted) && Array.isArray(have)) {
      const missing = wanted.find((name) => !(have as readonly (string | number)[]).includes(name));
      if (missing !== undefined) return { reason: "key", detail: String(missing) };
    } else if (wanted === true && have !== true) return { reason: "key", detail: kind };
  }
  const unused = loaded.backends.size - backends.size;
  if (unused > options.unusedBackendsMax) return { reason: "unused", detail: `${unused} backends` };
  return null;
}

interface ServerSteps {
  readonly arrivals: readonly Command[];
  /** Those come last: a share leaves a backend before its last server does. */
  readonly departures: readonly Command[];
  readonly reload: Reload | null;
}

function serverSteps(running: Running, plan: Plan, options: StepsOptions): ServerSteps {
  const arrivals: Command[] = [];
  const departures: Command[] = [];
  let reload: Reload | null = null;
  for (const [backend, members] of plan.servers) {
    const structure = plan.structure.backends.get(backend);
    if (!running.loaded.backends.has(backend) || structure === undefined) continue;
    const has = running.servers.get(backend) ?? new Map<string, RunningServer>();
    for (const server of members.values()) {
      const known = has.get(server.name);
      if (known === undefined) {
        if (!server.ready) continue;
        if (options.dynamicServers) arrivals.push({ kind: "add-server", backend, server });
        else reload = { reason: "server", detail: `${backend}/${server.name}` };
      } else if (structure.balance.kind === "ordered" && known.id !== server.id) {
        reload = { reason: "server", detail: `${backend}/${server.name}` };
      } else {
        const command = serverChange(backend, known, server);
        // One that drains leaves too, though it is asked for its sessions.
        if (command !== null) (server.ready && server.weight > 0 ? arrivals : departures).push(command);
      }
    }
  }
  for (const [backend, has] of running.servers) {
    const members = plan.servers.get(backend);
    for (const [name, server] of has) {
      if (members?.has(name) !== true && server.ready) {
        departures.push({ kind: "set-server", backend, name, change: { ready: false } });
      }
    }
  }
  return { arrivals, departures, reload };
}

function serverChange(backend: string, known: RunningServer, wanted: PlannedServer): Command | null {
  // Of one that takes no requests only that matters; the rest is put right when it comes back.
  if (!wanted.ready) {
    if (!known.ready) return null;
    return { kind: "set-server", backend, name: wanted.name, change: { ready: false } };
  }
  const moved = known.address !== wanted.address || known.port !== wanted.port;
  const change = {
    ...(moved ? { address: wanted.address, port: wanted.port } : {}),
    ...(known.weight === wanted.weight ? {} : { weight: wanted.weight }),
    ...(known.ready ? {} : { ready: true }),
  };
  return Object.keys(change).length === 0 ? null : { kind: "set-server", backend, name: wanted.name, change };
}

/**
 * Where requests go is changed from the end: what a pointer will point to is written before the pointer is switched,
 * and what it pointed to is deleted after. So every request finds either all of the old or all of the new.
 */
function mapSteps(running: Running, plan: Plan, wait: ReadonlySet<string>): Command[] {
  const blocks = blockSteps(running, plan, wait);
  const isPointer = (map: MapName): boolean => (POINTER_MAPS as readonly MapName[]).includes(map);
  const upserts: Command[] = [];
  const entries: Command[] = [];
  const deletions: Command[] = [];
  for (const map of MAP_NAMES) {
    const has = running.maps[map];
    const wants = plan.maps[map];
    const waits = (key: string): boolean => !ALWAYS.has(map) && wait.has(ownerOf(key));
    for (const [key, value] of wants) {
      const wanted = isPointer(map) ? String(blocks.pointer(Number(value))) : value;
      const known = has.get(key);
      if (known === wanted || waits(key)) continue;
      const action = { do: known === undefined ? "add" : "set", key, value: wanted } as const;
      // Into a service's distribution comes last what makes requests enter it.
      (ENTRY_MAPS.has(map) ? entries : upserts).push({ kind: "map", map, action });
    }
    for (const key of has.keys()) {
      if (wants.has(key) || waits(key)) continue;
      deletions.push({ kind: "map", map, action: { do: "delete", key } });
    }
  }
  // `plain` is looked up first, then `routed`: an entry that moves down is added below before it goes above.
  return [...blocks.writes, ...upserts, ...entries, ...deletions, ...blocks.deletions];
}

/** Maps that lead to no backend. */
const ALWAYS: ReadonlySet<MapName> = new Set(["state", "known"]);
const ENTRY_MAPS: ReadonlySet<MapName> = new Set(["plain", "routed", "special", "kept", "tcp_plain", "tcp_routed"]);

interface BlockSteps {
  readonly writes: readonly Command[];
  readonly deletions: readonly Command[];
  /** Where the pointer to a pair has to point. */
  pointer(base: number): number;
}

function blockSteps(running: Running, plan: Plan, wait: ReadonlySet<string>): BlockSteps {
  const writes: Command[] = [];
  const deletions: Command[] = [];
  const pointers = new Map<number, number>();
  const waitingBases = new Set<number>();
  for (const map of POINTER_MAPS) {
    for (const [key, value] of plan.maps[map]) if (wait.has(ownerOf(key))) waitingBases.add(Number(value));
    // What waits keeps the block that it has.
    for (const [key, value] of running.maps[map]) if (wait.has(ownerOf(key))) waitingBases.add(pairOf(Number(value)));
  }
  for (const [base, parts] of plan.blocks) {
    const known = running.blocks.get(base);
    if (known !== undefined && (waitingBases.has(base) || isSame(known, base, parts))) {
      pointers.set(base, halfBase(base, known.half));
      continue;
    }
    if (waitingBases.has(base)) continue;
    const half = known === undefined ? 0 : known.half === 0 ? 1 : 0;
    const lines = new Map(blockLines(halfBase(base, half), parts));
    for (const [key, value] of lines) writes.push({ kind: "map", map: "draw", action: { do: "add", key, value } });
    writes.push({ kind: "block", base, half, lines, parts });
    pointers.set(base, halfBase(base, half));
    for (const key of known?.lines.keys() ?? []) deletions.push(deleteDraw(key));
  }
  for (const [base, block] of running.blocks) {
    if (plan.blocks.has(base) || waitingBases.has(base)) continue;
    for (const key of block.lines.keys()) deletions.push(deleteDraw(key));
    deletions.push({ kind: "block", base, half: block.half, lines: null, parts: null });
  }
  return { writes, deletions, pointer: (base) => pointers.get(base) ?? base };
}

function isSame(
  known: {
    readonly lines: ReadonlyMap<string, string>;
    readonly half: 0 | 1;
    readonly parts: readonly BlockPart[] | null;
  },
  base: number,
  parts: readonly BlockPart[],
): boolean {
  if (known.parts === parts) return true;
  const lines = blockLines(halfBase(base, known.half), parts);
  return lines.length === known.lines.size && lines.every(([key, value]) => known.lines.get(key) === value);
}

function deleteDraw(key: string): Command {
  return { kind: "map", map: "draw", action: { do: "delete", key } };
}

/** The service that an entry of a map belongs to: every key begins with it, and none of these stands in its name. */
function ownerOf(key: string): string {
  return /^\/?([^/|>:]*)/.exec(key)?.[1] ?? key;
}

function pairOf(pointer: number): number {
  return pointer - (pointer % (2 * BLOCK_SIZE));
}
