import { headerText } from "../model/escape.ts";
import { keysOfRules } from "../model/keys.ts";
import type {
  BackendStructure,
  BlockRule,
  MapEntry,
  MapName,
  PlannedBackend,
  PlannedBlock,
  PlanPart,
  TcpListener,
} from "../model/plan.ts";
import type { BlockPart } from "../model/prefixes.ts";
import type { Entry, ServicePlan } from "./service-plan.ts";
import { keepDraining } from "./sessions.ts";

/** What a service adds to a plan, and what that was made from. */
export interface ServicePart extends PlanPart {
  readonly plan: ServicePlan;
}

/** What a part depends on beside its service: what only all of them together decide. */
export interface PartContext {
  /** Where the blocks of a service, or of one of its nodes, are. */
  baseOf(key: string): number;
  readonly listener: TcpListener | undefined;
  /** Whether a session may choose its server there. */
  readonly isPinned: boolean;
}

/** Makes what one service adds to a plan. */
export function partOf(plan: ServicePlan, { baseOf, listener, isPinned }: PartContext): ServicePart {
  const { service, entry, sessions, backends: own } = plan;
  const entries: Partial<Record<MapName, MapEntry[]>> = {};
  const add = (map: MapName, lines: readonly MapEntry[]): void => {
    // Made in one go, each is as large as its lines: one that grows is made for 17, and these are kept for each service.
    if (lines.length > 0) entries[map] = (entries[map] ?? []).concat(lines);
  };
  const blocks: (readonly [number, PlannedBlock])[] = [];
  const point = (map: MapName, key: string, block: PlannedBlock): void => {
    const base = baseOf(key);
    add(map, [[key, String(base)]]);
    blocks.push([base, block]);
  };
  const backends = isPinned && !plan.isTcp ? pinnedBackends(own) : own;
  add(
    "cut",
    [...backends.values()].flatMap(({ structure: { name, protocol, base } }): MapEntry[] =>
      protocol === "tcp" ? [] : [[name, String(base.length)]],
    ),
  );
  add("known", [[service, plan.isTcp ? tcpReason(listener) : reasonOf(entry)]]);
  if (entry.kind === "plain") add(plan.isTcp ? "tcp_plain" : "plain", [[service, entry.backend]]);
  if (entry.kind === "drawn") point(entryMap(plan), service, blockOf(plan, entry.parts));
  for (const { node, parts } of plan.splits) point("split", node, blockOf(null, parts));
  add("fallback", plan.fallback);
  if (plan.last !== null) add("last", [[service, plan.last]]);
  for (const map of ["jars", "pins", "marks"] as const) add(map, sessions[map]);
  add("places", [...placesOf(plan)]);
  const needs = {
    backends: new Set([...own.keys(), ...ledBackends(plan), ...(plan.last === null ? [] : [plan.last])]),
    keys: keysOfRules(plan.rules, { sticky: plan.sticky, sessionCookies: sessions.cookies }),
  };
  return { plan, backends, entries, blocks, needs, view: plan.view };
}

/** The names that the blocks of a service are had by. */
export function blockKeys({ service, entry, splits }: ServicePlan): string[] {
  return [...(entry.kind === "drawn" ? [service] : []), ...splits.map(({ node }) => node)];
}

/** The backends that the requests of a service are led to. */
export function ledBackends({ entry, splits, rules, sessions }: ServicePlan): Set<string> {
  const nodes = [
    ...(entry.kind === "plain" ? [entry.backend] : []),
    ...(entry.kind === "drawn" ? entry.parts.map(({ node }) => node) : []),
    ...splits.flatMap(({ parts }) => parts.map(({ node }) => node)),
    ...rules.map(({ node }) => node),
    ...sessions.pins.map(([, place]) => place.split("/")[0] as string),
  ];
  const divided = new Set(splits.map(({ node }) => node));
  return new Set(nodes.filter((node) => !divided.has(node)));
}

const blocksMade = new WeakMap<readonly BlockPart[], PlannedBlock>();

/** The same object for the same parts of one service, so that what did not change is not compared. */
function blockOf(plan: ServicePlan | null, parts: readonly BlockPart[]): PlannedBlock {
  const block = blocksMade.get(parts) ?? { parts, rules: plan === null || plan.isTcp ? [] : blockRules(plan) };
  blocksMade.set(parts, block);
  return block;
}

function blockRules({ service, rules, sticky, reasons, entry }: ServicePlan): BlockRule[] {
  const lines: BlockRule[] = [];
  const drawn = new Set(entry.kind === "drawn" ? entry.parts.map(({ node }) => node) : []);
  for (const [node, value] of reasons ?? [])
    if (drawn.has(node)) lines.push({ map: "reasons", suffix: `|${node}`, value });
  if (sticky !== null) lines.push({ map: "sticky", suffix: "", value: sticky });
  if (rules.length > 0) {
    const value = rules.some(({ kind }) => kind === "path") ? "path" : "1";
    lines.push({ map: "whens", suffix: "", value });
  }
  for (const rule of rules) {
    const { node, told } = rule;
    if (reasons !== null) {
      const suffix = rule.kind === "path" ? `/${service}${rule.prefix}` : `|when|${rule.age}`;
      lines.push({ map: "reasons", suffix, value: told });
    }
    if (rule.kind === "path") lines.push({ map: "when_path", suffix: `/${service}${rule.prefix}`, value: node });
    else {
      lines.push({ map: "when", suffix: `|${rule.key}`, value: String(rule.age) });
      lines.push({ map: "when_node", suffix: `|${rule.age}`, value: node });
    }
  }
  return lines;
}

/** Where requests are, for those that ask: who takes them all, which instances each server is, and the group of a session's. */
function* placesOf({ service, entry, backends, reasons }: ServicePlan): Generator<MapEntry> {
  if (reasons === null) return;
  const told = entry.kind === "plain" ? reasons.get(entry.backend) : undefined;
  if (entry.kind === "plain" && told !== undefined) yield [`${service}|${entry.backend}`, told];
  for (const [backend, { structure, servers }] of backends) {
    yield [backend, headerText(structure.group ?? `//${service}`)];
    for (const { name, instances } of servers.values()) {
      const names = instances.length === 0 ? "default URL" : instances.map((one) => one.name).join(", ");
      yield [`${backend}/${name}`, headerText(names)];
    }
  }
}

/** Shown only while a service that is live has no entry yet. */
export const SETTING_UP = "it has just been registered and is being set up";

function reasonOf(entry: Entry): string {
  return (entry.kind === "plain" ? null : entry.reason) ?? SETTING_UP;
}

const pinnedStructures = new WeakMap<BackendStructure, BackendStructure>();

function pinnedBackends(backends: ReadonlyMap<string, PlannedBackend>): Map<string, PlannedBackend> {
  return new Map(
    [...backends].map(([name, { structure, servers }]) => [
      name,
      { structure: pinnedOf(structure), servers: keepDraining(servers) },
    ]),
  );
}

/** The same object for the same structure, which has been described once then. */
function pinnedOf(structure: BackendStructure): BackendStructure {
  const known = pinnedStructures.get(structure) ?? { ...structure, pinned: true };
  pinnedStructures.set(structure, known);
  return known;
}

function entryMap(plan: ServicePlan): MapName {
  if (plan.isTcp) return "tcp_routed";
  if (plan.sessions.jars.length > 0) return "kept";
  return plan.rules.length > 0 || plan.sticky !== null ? "special" : "routed";
}

function tcpReason(listener: TcpListener | undefined): string {
  return listener === undefined
    ? "it is a TCP service without a local port, see tcp in sherlock.yaml"
    : `it is a TCP service, reached at ${listener.host}:${listener.port}`;
}
