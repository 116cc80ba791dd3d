import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { assignBlocks } from "../model/blocks.ts";
import { headerText } from "../model/escape.ts";
import { joinKeys, keysOfRules } from "../model/keys.ts";
import {
  type BackendStructure,
  type BlockRule,
  MAP_NAMES,
  type MapName,
  type Plan,
  type PlannedBlock,
  type PlannedServer,
  type PlanProblem,
  type RequestKeys,
  type ServiceKeys,
  type ServiceNeeds,
} from "../model/plan.ts";
import type { BlockPart } from "../model/prefixes.ts";
import type { Entry, ServicePlan } from "./service-plan.ts";
import { keepDraining } from "./sessions.ts";
import { assignPorts, type TcpSettings } from "./tcp-ports.ts";

/** What a whole plan is assembled from beside the plans of services. */
export interface Assembly {
  readonly table: CatalogReader;
  readonly tcp: TcpSettings;
  readonly portsTaken: ReadonlyMap<string, string>;
  readonly hasTable: boolean;
  /** The table's; undefined where no request is told. */
  readonly revision: number | undefined;
  /** What is wrong beside what the plans themselves say. */
  readonly problems: readonly PlanProblem[];
}

/** Puts the plans of all services together. */
export function assemble(
  plans: readonly ServicePlan[],
  { table, tcp, portsTaken, hasTable, revision, problems }: Assembly,
): Plan {
  const backends = new Map<string, BackendStructure>();
  const servers = new Map<string, ReadonlyMap<string, PlannedServer>>();
  const maps = Object.fromEntries(MAP_NAMES.map((name) => [name, new Map<string, string>()])) as Record<
    MapName,
    Map<string, string>
  >;
  const blocks = new Map<number, PlannedBlock>();
  const bases = assignBlocks(plans.flatMap(blockKeys));
  const needs = new Map<string, ServiceNeeds>();
  const leads = new Set<string>();
  const views = new Map<string, ServiceView>();
  const point = (map: MapName, key: string, block: PlannedBlock): void => {
    const base = bases.get(key) as number;
    maps[map].set(key, String(base));
    blocks.set(base, block);
  };
  if (hasTable) maps.state.set("table", "1");
  if (revision !== undefined) maps.state.set("revision", String(revision));
  const ports = assignPorts(
    plans.flatMap(({ service, isTcp, backends }) =>
      isTcp && backends.size > 0 ? [{ service, proposal: table.service(service)?.service.proxyPort ?? null }] : [],
    ),
    tcp,
    portsTaken,
  );
  const pinned = new Set(plans.flatMap(({ sessions }) => [...sessions.pinned]));
  for (const plan of plans) {
    const { service, entry, sessions } = plan;
    for (const [name, { structure, servers: members }] of plan.backends) {
      const isPinned = pinned.has(service) && !plan.isTcp;
      backends.set(name, isPinned ? pinnedOf(structure) : structure);
      servers.set(name, isPinned ? keepDraining(members) : members);
      if (structure.protocol !== "tcp") maps.cut.set(name, String(structure.base.length));
    }
    const listener = ports.listeners.get(service);
    maps.known.set(service, plan.isTcp ? tcpReason(listener) : reasonOf(entry));
    if (entry.kind === "plain") maps[plan.isTcp ? "tcp_plain" : "plain"].set(service, entry.backend);
    if (entry.kind === "drawn") point(entryMap(plan), service, blockOf(plan, entry.parts));
    for (const { node, parts } of plan.splits) point("split", node, blockOf(null, parts));
    for (const [key, next] of plan.fallback) maps.fallback.set(key, next);
    if (plan.last !== null) maps.last.set(service, plan.last);
    for (const map of ["jars", "pins", "marks"] as const)
      for (const [key, value] of sessions[map]) maps[map].set(key, value);
    for (const [key, value] of placesOf(plan)) maps.places.set(key, value);
    const led = ledBackends(plan);
    for (const backend of led) leads.add(backend);
    needs.set(service, { backends: neededBackends(plan, led), keys: keysInUse(plan) });
    if (plan.view !== null) views.set(service, plan.view);
  }
  return {
    structure: {
      backends: new Map([...backends].sort(([a], [b]) => (a < b ? -1 : 1))),
      tcpListeners: ports.listeners,
      keys: requestKeys(plans, backends.values()),
    },
    servers,
    maps,
    blocks,
    needs,
    leads,
    views,
    problems: [...problems, ...plans.flatMap((plan) => plan.problems), ...ports.problems],
  };
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
function* placesOf({ service, entry, backends, reasons }: ServicePlan): Generator<[key: string, value: string]> {
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

function tcpReason(listener: { readonly host: string; readonly port: number } | undefined): string {
  return listener === undefined
    ? "it is a TCP service without a local port, see tcp in sherlock.yaml"
    : `it is a TCP service, reached at ${listener.host}:${listener.port}`;
}

function keysInUse({ rules, sticky, sessions }: ServicePlan): ServiceKeys {
  return keysOfRules(rules, { sticky, sessionCookies: sessions.cookies });
}

function blockKeys({ service, entry, splits }: ServicePlan): string[] {
  return [...(entry.kind === "drawn" ? [service] : []), ...splits.map(({ node }) => node)];
}

function ledBackends({ entry, splits, rules, sessions }: ServicePlan): Set<string> {
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

function neededBackends({ backends, last }: ServicePlan, led: ReadonlySet<string>): Set<string> {
  return new Set([...backends.keys(), ...led, ...(last === null ? [] : [last])]);
}

function requestKeys(plans: readonly ServicePlan[], backends: Iterable<BackendStructure>): RequestKeys {
  const lengths = new Set([0]);
  for (const { base } of backends) lengths.add(base.length);
  return { ...joinKeys(plans.map(({ keys }) => keys)), baseLengths: [...lengths].sort((a, b) => a - b) };
}
