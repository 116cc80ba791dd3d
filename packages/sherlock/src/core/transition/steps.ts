import { type Command, halfBase } from "../model/commands.ts";
import { type BlockLine, blockOf, namedLines } from "../model/block-lines.ts";
import { pairOf } from "../model/blocks.ts";
import {
  MAP_NAMES,
  type MapName,
  type Plan,
  type PlannedBlock,
  type PlannedServer,
  POINTER_MAPS,
} from "../model/plan.ts";
import { hasBackend, ownerOf, type Running, type RunningBlock, type RunningServer } from "../model/running.ts";
import type { Scope } from "./scope.ts";

/** What the steps between a plan and a running HAProxy depend on beside both. */
export interface StepsOptions {
  /** Services of which no more is known than what HAProxy holds: they stay as they are, but for servers that are dead. */
  readonly frozen: ReadonlySet<string>;
  /** The plan that HAProxy follows; null where that is not known. */
  readonly followed: Plan | null;
  /** What may differ between both; the rest is not looked at. */
  readonly scope: Scope;
}

/**
 * Says what makes a running HAProxy follow a plan, as far as commands can, in an order in which every request on the
 * way is answered as before or as planned: what no request is led to yet is made ready, and who leaves others behind
 * leaves; then requests are led there; then others come to where they were led before, and the last ones leave.
 */
export function steps(running: Running, plan: Plan, options: StepsOptions): Command[] {
  const { ahead, arrivals, departures } = serverSteps(running, plan, options);
  const maps = mapSteps(running, plan, options);
  return [
    ...maps.marks,
    ...ahead,
    ...maps.routing,
    ...arrivals,
    ...maps.pins,
    ...departures,
    ...maps.unmarks,
    ...maps.told,
  ];
}

interface ServerSteps {
  /** Before requests are led otherwise. */
  readonly ahead: readonly Command[];
  readonly arrivals: readonly Command[];
  readonly departures: readonly Command[];
}

function serverSteps(running: Running, plan: Plan, { frozen, followed, scope }: StepsOptions): ServerSteps {
  const ahead: Command[] = [];
  const arrivals: Command[] = [];
  const departures: Command[] = [];
  // One without a server takes no requests, wherever they are led; and without knowing, what comes has to come first.
  const isEmpty = (backend: string): boolean => ![...(running.servers.get(backend)?.values() ?? [])].some(isTaking);
  const comes = (backend: string, command: Command): void => {
    const isFirst = followed === null || !followed.leads.has(backend) || isEmpty(backend);
    (isFirst ? ahead : arrivals).push(command);
  };
  const goes = (backend: string, command: Command): void => {
    // A session is led to its new place before it loses the old one.
    const isPinned = plan.structure.backends.get(backend)?.pinned === true;
    const isFree = followed?.leads.has(backend) === false || keepsServer(running, plan, backend);
    const isFirst = followed !== null && isFree && !isPinned;
    (isFirst ? ahead : departures).push(command);
  };
  for (const [backend, members] of scope.servers) {
    if (!hasBackend(running, backend) || frozen.has(ownerOf(backend))) continue;
    const has = running.servers.get(backend) ?? new Map<string, RunningServer>();
    for (const server of members.values()) {
      const known = has.get(server.name);
      if (known === undefined) {
        if (server.ready) comes(backend, { kind: "add-server", backend, server });
        continue;
      }
      const command = serverChange(backend, known, server);
      // One that drains leaves too, though it is asked for its sessions.
      if (command !== null) (isTaking(server) ? comes : goes)(backend, command);
    }
  }
  const isAlive = aliveOf(plan, frozen);
  for (const backend of scope.backends) {
    const members = plan.servers.get(backend);
    const stays = frozen.has(ownerOf(backend))
      ? (name: string) => isAlive(ownerOf(backend), name)
      : (name: string) => members?.has(name) === true;
    for (const [name, { ready }] of running.servers.get(backend) ?? []) {
      if (ready && !stays(name)) goes(backend, { kind: "set-server", backend, name, change: { ready: false } });
    }
  }
  const isOrdered = (backend: string): boolean => plan.structure.backends.get(backend)?.balance.kind === "ordered";
  const leave = (commands: readonly Command[]): Command[] => lastInOrderFirst(commands, { running, isOrdered });
  return { ahead: leave(ahead), arrivals, departures: leave(departures) };
}

/**
 * Of servers that leave a backend which is asked in order, the one that is asked last leaves first: otherwise those
 * after the first would be asked for a moment, in turn, though no table has them asked.
 */
function lastInOrderFirst(
  commands: readonly Command[],
  { running, isOrdered }: { readonly running: Running; readonly isOrdered: (backend: string) => boolean },
): Command[] {
  const leaving = Map.groupBy(commands, (command) =>
    command.kind === "set-server" && command.change.ready === false && isOrdered(command.backend)
      ? command.backend
      : null,
  );
  const idOf = (command: Command): number =>
    command.kind === "set-server" ? (running.servers.get(command.backend)?.get(command.name)?.id ?? 0) : 0;
  for (const [backend, ofBackend] of leaving) if (backend !== null) ofBackend.sort((a, b) => idOf(b) - idOf(a));
  return [...leaving.values()].flat();
}

/** Whether a backend has a server that takes requests and goes on with it. */
function keepsServer(running: Running, plan: Plan, backend: string): boolean {
  const members = plan.servers.get(backend);
  return [...(running.servers.get(backend) ?? [])].some(([name, has]) => {
    const planned = members?.get(name);
    return isTaking(has) && planned !== undefined && isTaking(planned);
  });
}

function isTaking({ ready, weight }: Pick<RunningServer, "ready" | "weight">): boolean {
  return ready && weight > 0;
}

/** Whether a server of a frozen service may be alive: what the plan does not name may only have gone elsewhere. */
function aliveOf(plan: Plan, frozen: ReadonlySet<string>): (service: string, name: string) => boolean {
  const states = new Map<string, boolean>();
  if (frozen.size === 0) return () => true;
  for (const [backend, members] of plan.servers) {
    const service = ownerOf(backend);
    if (!frozen.has(service)) continue;
    for (const { name, ready } of members.values()) {
      const id = `${service} ${name}`;
      states.set(id, ready || states.get(id) === true);
    }
  }
  return (service, name) => states.get(`${service} ${name}`) !== false;
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

interface MapSteps {
  /** What answers of a server set is there before its first answer, and until after its last. */
  readonly marks: readonly Command[];
  readonly routing: readonly Command[];
  /** Where sessions are: by then the servers are there, and not gone yet. */
  readonly pins: readonly Command[];
  readonly unmarks: readonly Command[];
  /** The revision that requests are told, once all of it holds. */
  readonly told: readonly Command[];
}

/**
 * Where requests go is changed from the end: what a pointer will point to is written before the pointer is switched,
 * and what it pointed to is deleted after. So every request finds either all of the old or all of the new.
 */
function mapSteps(running: Running, plan: Plan, { frozen: wait, scope }: StepsOptions): MapSteps {
  const blocks = blockSteps(running, plan, { wait, scope });
  const isPointer = (map: MapName): boolean => (POINTER_MAPS as readonly MapName[]).includes(map);
  const marks: Command[] = [];
  const unmarks: Command[] = [];
  const pins: Command[] = [];
  const told: Command[] = [];
  const upserts: Command[] = [];
  const entries: Command[] = [];
  const deletions: Command[] = [];
  for (const map of MAP_NAMES) {
    const has = running.maps[map];
    const wants = scope.wanted(map);
    const waits = (key: string): boolean => !ALWAYS.has(map) && wait.has(ownerOf(key));
    for (const [key, value] of wants) {
      const wanted = isPointer(map) ? String(blocks.pointer(Number(value))) : value;
      const known = has.get(key);
      if (known === wanted || waits(key)) continue;
      const action = { do: known === undefined ? "add" : "set", key, value: wanted } as const;
      // Into the maps of a service comes last what makes requests enter it.
      const list = ENTRY_MAPS.has(map) ? entries : upserts;
      const apart =
        map === "marks" ? marks : map === "pins" ? pins : key === "revision" && map === "state" ? told : null;
      (apart ?? list).push({ kind: "map", map, action });
    }
    for (const key of scope.held(map)) {
      if (wants.has(key) || waits(key)) continue;
      const ofSessions = map === "marks" ? unmarks : map === "pins" ? pins : null;
      (ofSessions ?? deletions).push({ kind: "map", map, action: { do: "delete", key } });
    }
  }
  // `plain` is looked up first, then `routed`: an entry that moves down is added below before it goes above.
  const routing = [...blocks.writes, ...upserts, ...entries, ...deletions, ...blocks.deletions];
  return { marks, routing, pins, unmarks, told };
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

function blockSteps(
  running: Running,
  plan: Plan,
  { wait, scope }: { readonly wait: ReadonlySet<string>; readonly scope: Scope },
): BlockSteps {
  const writes: Command[] = [];
  const deletions: Command[] = [];
  const pointers = new Map<number, number>();
  const waitingBases = new Set<number>();
  for (const map of wait.size === 0 ? [] : POINTER_MAPS) {
    for (const [key, value] of plan.maps[map]) if (wait.has(ownerOf(key))) waitingBases.add(Number(value));
    // What waits keeps the block that it has.
    for (const [key, value] of running.maps[map]) if (wait.has(ownerOf(key))) waitingBases.add(pairOf(Number(value)));
  }
  for (const [base, block] of scope.blocks) {
    const known = running.blocks.get(base);
    if (known !== undefined && (waitingBases.has(base) || isSame(known, base, block))) {
      pointers.set(base, halfBase(base, known.half));
      continue;
    }
    if (waitingBases.has(base)) continue;
    const half = known === undefined ? 0 : known.half === 0 ? 1 : 0;
    const lines = namedLines(halfBase(base, half), block);
    // Nothing points to entries that a switch left there which was broken off.
    const { left = [], used = [] } = Object.groupBy(known?.lines.values() ?? [], (line) =>
      blockOf(line) === halfBase(base, half) ? "left" : "used",
    );
    for (const line of left) writes.push(deleteLine(line));
    for (const { map, key, value } of lines.values())
      writes.push({ kind: "map", map, action: { do: "add", key, value } });
    writes.push({ kind: "block", base, half, lines, block });
    pointers.set(base, halfBase(base, half));
    for (const line of used) deletions.push(deleteLine(line));
  }
  for (const base of scope.bases) {
    const block = running.blocks.get(base);
    if (block === undefined || scope.blocks.has(base) || waitingBases.has(base)) continue;
    for (const line of block.lines.values()) deletions.push(deleteLine(line));
    deletions.push({ kind: "block", base, half: block.half, lines: null, block: null });
  }
  return { writes, deletions, pointer: (base) => pointers.get(base) ?? base };
}

function isSame(known: RunningBlock, base: number, block: PlannedBlock): boolean {
  if (known.block === block) return true;
  const lines = namedLines(halfBase(base, known.half), block);
  return (
    lines.size === known.lines.size && [...lines].every(([name, { value }]) => known.lines.get(name)?.value === value)
  );
}

function deleteLine({ map, key }: BlockLine): Command {
  return { kind: "map", map, action: { do: "delete", key } };
}
