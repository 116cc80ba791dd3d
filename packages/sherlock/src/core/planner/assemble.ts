import { type Blocks, NO_BLOCKS, reassignBlocks } from "../model/blocks.ts";
import {
  MAP_NAMES,
  type Plan,
  type PlannedMaps,
  type PlanProblem,
  type RequestKeys,
  type TcpListener,
} from "../model/plan.ts";
import { NAMED_KEYS, namedKeys } from "../model/keys.ts";
import { ownerOf } from "../model/running.ts";
import { PartsMap } from "../parts/parts-map.ts";
import { counted, PersistentMap } from "../parts/persistent-map.ts";
import { blockKeys, ledBackends, partOf, type ServicePart } from "./plan-part.ts";
import type { ServicePlan } from "./service-plan.ts";
import { assignPorts, type TcpPorts, type TcpSettings } from "./tcp-ports.ts";

/**
 * The plans of all services put together, and what only all of them decide. It never changes: the next one is made of
 * it and of the services that differ, and shares the rest with it.
 */
export interface Assembly {
  readonly parts: PersistentMap<string, ServicePart>;
  readonly blocks: Blocks;
  /** service → how many others have sessions that choose a server there. */
  readonly pinned: PersistentMap<string, number>;
  /** backend → how many services lead there. */
  readonly leads: PersistentMap<string, number>;
  /** Entries of `marks`, the only map in which several services may have one: the last by name decides what it says. */
  readonly marks: PersistentMap<string, ReadonlyMap<string, string>>;
  /** What of requests is looked at → by how many services. */
  readonly looked: PersistentMap<string, number>;
  readonly keys: RequestKeys;
  /** Services with a problem. */
  readonly problems: PersistentMap<string, readonly PlanProblem[]>;
  /** TCP service → the port that it proposes. */
  readonly proposals: PersistentMap<string, number | null>;
  readonly portsTaken: ReadonlyMap<string, string>;
  readonly ports: TcpPorts;
  readonly backendCount: number;
}

/** An assembly of no service. */
export const NOTHING_ASSEMBLED: Assembly = {
  parts: PersistentMap.empty(),
  blocks: NO_BLOCKS,
  pinned: PersistentMap.empty(),
  leads: PersistentMap.empty(),
  marks: PersistentMap.empty(),
  looked: PersistentMap.empty(),
  keys: keysOf([]),
  problems: PersistentMap.empty(),
  proposals: PersistentMap.empty(),
  portsTaken: new Map(),
  ports: { listeners: new Map(), problems: [] },
  backendCount: 0,
};

/** What decides about the ports of TCP services. */
export interface PortOptions {
  readonly tcp: TcpSettings;
  readonly portsTaken: ReadonlyMap<string, string>;
  /** What a service proposes; null for nothing. */
  proposalOf(service: string): number | null;
}

/** The assembly in which some services have other plans, or none. */
export function reassemble(
  before: Assembly,
  changes: ReadonlyMap<string, ServicePlan | null>,
  options: PortOptions,
): Assembly {
  const gone = [...changes.keys()].flatMap((name) => before.parts.get(name)?.plan ?? []);
  const come = [...changes.values()].filter((plan) => plan !== null);
  const all = <T>(of: (plan: ServicePlan) => Iterable<T>) => ({
    gone: gone.flatMap((plan) => [...of(plan)]),
    come: come.flatMap((plan) => [...of(plan)]),
  });
  const blocks = reassignBlocks(before.blocks, differing(all(blockKeys)));
  const pinned = counted(
    before.pinned,
    all(({ sessions }) => sessions.pinned),
  );
  const looked = counted(before.looked, all(looksOf));
  const proposals = before.proposals.with(
    [...changes].map(([name, plan]) => [
      name,
      plan !== null && isListening(plan) ? options.proposalOf(name) : undefined,
    ]),
  );
  const isPortsAsBefore = proposals === before.proposals && hasSame(options.portsTaken, before.portsTaken);
  const listening = (): { service: string; proposal: number | null }[] =>
    byService(proposals).map(([service, proposal]) => ({ service, proposal }));
  const ports = isPortsAsBefore ? before.ports : assignPorts(listening(), options.tcp, options.portsTaken);
  const others = new Set([
    ...[...pinned.differences(before.pinned)].filter((name) => pinned.has(name) !== before.pinned.has(name)),
    ...[...blocks.bases.differences(before.blocks.bases)].map(ownerOf),
    ...(ports === before.ports ? [] : differingListeners(before.ports, ports)),
  ]);
  const planNow = (name: string): ServicePlan | null => {
    const plan = changes.get(name);
    return plan === undefined ? (before.parts.get(name)?.plan ?? null) : plan;
  };
  const parts = before.parts.with(
    [...new Set([...changes.keys(), ...others])].map((name) => {
      const plan = planNow(name);
      const context = {
        baseOf: (key: string) => blocks.bases.get(key) as number,
        listener: ports.listeners.get(name),
        isPinned: pinned.has(name),
      };
      return [name, plan === null ? undefined : partOf(plan, context)] as const;
    }),
  );
  return {
    parts,
    blocks,
    pinned,
    leads: counted(before.leads, all(ledBackends)),
    marks: remarked(before.marks, { gone, come }),
    looked,
    keys: sameKeys(looked, before.looked) ? before.keys : keysOf(looked.keys()),
    problems: before.problems.with(
      [...changes].map(([name, plan]) => [
        name,
        plan === null || plan.problems.length === 0 ? undefined : plan.problems,
      ]),
    ),
    proposals,
    portsTaken: options.portsTaken,
    ports,
    backendCount: before.backendCount + backendsOf(come) - backendsOf(gone),
  };
}

/** What a plan has beside its services. */
export interface PlanRest {
  readonly hasTable: boolean;
  /** The table's; undefined where no request is told. */
  readonly revision: number | undefined;
  /** What is wrong beside what the plans of services themselves say. */
  readonly problems: readonly PlanProblem[];
}

/** The plan of an assembly. */
export function planOf(assembly: Assembly, { hasTable, revision, problems }: PlanRest): Plan {
  const { parts, ports, keys, leads, backendCount } = assembly;
  const ofOwner = (name: string): ServicePart | undefined => parts.get(ownerOf(name));
  const state = new Map<string, string>();
  if (hasTable) state.set("table", "1");
  if (revision !== undefined) state.set("revision", String(revision));
  return {
    parts,
    structure: {
      backends: new PartsMap(
        {
          parts,
          of: ({ backends }) => [...backends].map(([name, { structure }]) => [name, structure] as const),
          find: (name: string) => ofOwner(name)?.backends.get(name)?.structure,
          compare: (a, b) => (a < b ? -1 : 1),
        },
        backendCount,
      ),
      tcpListeners: ports.listeners,
      keys,
    },
    servers: new PartsMap(
      {
        parts,
        of: ({ backends }) => [...backends].map(([name, { servers }]) => [name, servers] as const),
        find: (name: string) => ofOwner(name)?.backends.get(name)?.servers,
      },
      backendCount,
    ),
    maps: { ...mapsOf(assembly), state },
    blocks: new PartsMap({ parts, of: ({ blocks }) => blocks }),
    needs: new PartsMap(
      { parts, of: ({ needs }, name) => [[name, needs] as const], find: (name: string) => parts.get(name)?.needs },
      parts.size,
    ),
    leads,
    views: new PartsMap({
      parts,
      of: ({ view }, name) => (view === null ? [] : [[name, view] as const]),
      find: (name: string) => parts.get(name)?.view ?? undefined,
    }),
    problems: [...problems, ...byService(assembly.problems).flatMap(([, own]) => own), ...ports.problems],
  };
}

function mapsOf({ parts, marks }: Assembly): PlannedMaps {
  const maps = MAP_NAMES.map((map) => [
    map,
    new PartsMap<ServicePart, string, string>({
      parts,
      of: ({ entries }) => entries[map] ?? [],
      find: (key) => parts.get(ownerOf(key))?.entries[map]?.find((entry) => entry[0] === key)?.[1],
    }),
  ]);
  return {
    ...(Object.fromEntries(maps) as PlannedMaps),
    marks: new PartsMap({
      parts: marks,
      of: (by, key) => [[key, markOf(by)] as const],
      find: (key: string) => {
        const by = marks.get(key);
        return by === undefined ? undefined : markOf(by);
      },
    }),
  };
}

function markOf(by: ReadonlyMap<string, string>): string {
  let last = "";
  for (const service of by.keys()) if (service > last) last = service;
  return by.get(last) as string;
}

interface Moves<T> {
  readonly gone: readonly T[];
  readonly come: readonly T[];
}

function differing({ gone, come }: Moves<string>): { readonly gone: Set<string>; readonly come: Set<string> } {
  const [had, has] = [new Set(gone), new Set(come)];
  return { gone: new Set(gone.filter((key) => !has.has(key))), come: new Set(come.filter((key) => !had.has(key))) };
}

function remarked(marks: Assembly["marks"], { gone, come }: Moves<ServicePlan>): Assembly["marks"] {
  const changed = new Map<string, Map<string, string>>();
  const ofKey = (key: string): Map<string, string> => {
    const by = changed.get(key) ?? new Map(marks.get(key));
    changed.set(key, by);
    return by;
  };
  for (const { service, sessions } of gone) for (const [key] of sessions.marks) ofKey(key).delete(service);
  for (const { service, sessions } of come) for (const [key, id] of sessions.marks) ofKey(key).set(service, id);
  return marks.with([...changed].map(([key, by]) => [key, by.size === 0 ? undefined : by] as const));
}

/** What a service adds to `RequestKeys`, each as a text. */
function* looksOf({ keys, backends }: ServicePlan): Generator<string> {
  for (const kind of NAMED_KEYS) for (const name of keys[kind]) yield `${kind} ${name}`;
  if (keys.stickyIp) yield "stickyIp ";
  for (const { structure } of backends.values()) yield `baseLengths ${structure.base.length}`;
}

function keysOf(looks: Iterable<string>): RequestKeys {
  const of = Map.groupBy(looks, (look) => look.slice(0, look.indexOf(" ")));
  const names = (kind: keyof RequestKeys): string[] =>
    (of.get(kind) ?? []).map((look) => look.slice(look.indexOf(" ") + 1));
  const lengths = new Set([0, ...names("baseLengths").map(Number)]);
  return { ...namedKeys(names, of.has("stickyIp")), baseLengths: [...lengths].sort((a, b) => a - b) };
}

function sameKeys(a: Assembly["looked"], b: Assembly["looked"]): boolean {
  return [...a.differences(b)].every((key) => a.has(key) && b.has(key));
}

function byService<T>(map: PersistentMap<string, T>): [service: string, value: T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function isListening({ isTcp, backends }: ServicePlan): boolean {
  return isTcp && backends.size > 0;
}

function hasSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a === b || (a.size === b.size && [...a].every(([key, value]) => b.get(key) === value));
}

function differingListeners({ listeners: before }: TcpPorts, { listeners: now }: TcpPorts): string[] {
  const text = (listener: TcpListener | undefined): string => JSON.stringify(listener ?? null);
  const all = new Set([...before.keys(), ...now.keys()]);
  return [...all].filter((service) => text(before.get(service)) !== text(now.get(service)));
}

function backendsOf(plans: readonly ServicePlan[]): number {
  return plans.reduce((count, { backends }) => count + backends.size, 0);
}
