import type { TableReader } from "@datawire/protocol";
import { describeProblem } from "./describe-problem.ts";
import { plainText } from "./escape.ts";
import { assignBlocks } from "./blocks.ts";
import type { BackendStructure, MapName, Plan, PlannedServer, PlanProblem, RequestKeys } from "./plan.ts";
import { MAP_NAMES } from "./plan.ts";
import type { BlockPart } from "./prefixes.ts";
import { ReachableTable } from "./reachable-table.ts";
import type { Entry, ServiceContext, ServicePlan } from "./service-plan.ts";
import { planService } from "./service-plan.ts";
import { keepDraining, NO_SESSIONS } from "./sessions.ts";
import { assignPorts, type TcpSettings } from "./tcp-ports.ts";

export interface PlannerConfig extends Omit<ServiceContext, "resolve"> {
  readonly tcp: TcpSettings;
}

/** What the plan follows beside the table. */
export interface Surroundings {
  readonly resolve: ServiceContext["resolve"];
  /** `host:port` → why a TCP service cannot have it. */
  readonly portsTaken: ReadonlyMap<string, string>;
  /** Services that HAProxy refused, with what it said; they are left out. */
  readonly quarantined: ReadonlyMap<string, string>;
  /** Whether there is a table at all; without one every name gets 503. */
  readonly hasTable: boolean;
}

/**
 * Makes plans. What one service adds is remembered until that service, or one that its routes name, changes: so a
 * change costs what it touches and an assembly of parts, whatever the size of the table.
 */
export class Planner {
  readonly #config: PlannerConfig;
  readonly #known = new Map<string, ServicePlan>();
  /** The last plan of each service that could be made, for as long as a newer one cannot. */
  readonly #lastGood = new Map<string, ServicePlan>();

  constructor(config: PlannerConfig) {
    this.#config = config;
  }

  /** Forgets what was made of these services; of all for null. */
  forget(services: Iterable<string> | null): void {
    if (services === null) return this.#known.clear();
    for (const service of services) this.#known.delete(service);
  }

  plan(table: TableReader, surroundings: Surroundings): Plan {
    const reachable = new ReachableTable(table, surroundings.resolve);
    const context = { ...this.#config, resolve: surroundings.resolve };
    const plans: ServicePlan[] = [];
    const problems: PlanProblem[] = [];
    for (const name of [...table.serviceNames()].sort()) {
      const plan = this.#known.get(name) ?? this.#planAlone(reachable, name, context);
      if (plan === null) continue;
      this.#known.set(name, plan);
      const refusal = surroundings.quarantined.get(name);
      if (refusal === undefined) plans.push(plan);
      else {
        problems.push({ subject: `//${name}`, message: refusal });
        plans.push(withoutBackends(plan, refusal));
      }
    }
    for (const name of this.#lastGood.keys()) if (table.service(name) === null) this.#lastGood.delete(name);
    return assemble(plans, { table, config: this.#config, surroundings, problems });
  }

  /** What goes wrong while one service is planned is that service's problem: it stays as it was, and the others go ahead. */
  #planAlone(table: TableReader, name: string, context: ServiceContext): ServicePlan | null {
    try {
      const plan = planService(table, name, context);
      if (plan !== null) this.#lastGood.set(name, plan);
      return plan;
    } catch (error) {
      const message = describeProblem(error);
      const before = this.#lastGood.get(name);
      const how = before === undefined ? "it is not served" : "it is served as it was before";
      const problem: PlanProblem = {
        subject: `//${name}`,
        message: `cannot be planned: ${message}; ${how}`,
        severity: "error",
      };
      return { ...(before ?? nothingOf(name, message)), problems: [problem] };
    }
  }
}

/** A service that is known and of which nothing else is. */
function nothingOf(service: string, reason: string): ServicePlan {
  return {
    service,
    isTcp: false,
    backends: new Map(),
    entry: { kind: "down", reason: plainText(reason) },
    splits: [],
    rules: [],
    sticky: null,
    sessions: NO_SESSIONS,
    fallback: [],
    last: null,
    problems: [],
  };
}

interface Assembly {
  readonly table: TableReader;
  readonly config: PlannerConfig;
  readonly surroundings: Surroundings;
  readonly problems: readonly PlanProblem[];
}

function assemble(plans: readonly ServicePlan[], { table, config, surroundings, problems }: Assembly): Plan {
  const backends = new Map<string, BackendStructure>();
  const servers = new Map<string, ReadonlyMap<string, PlannedServer>>();
  const maps = Object.fromEntries(MAP_NAMES.map((name) => [name, new Map<string, string>()])) as Record<
    MapName,
    Map<string, string>
  >;
  const blocks = new Map<number, readonly BlockPart[]>();
  const bases = assignBlocks(plans.flatMap(blockKeys));
  const needs = new Map<string, ReadonlySet<string>>();
  const point = (map: MapName, key: string, parts: readonly BlockPart[]): void => {
    const base = bases.get(key) as number;
    maps[map].set(key, String(base));
    blocks.set(base, parts);
  };
  if (surroundings.hasTable) maps.state.set("table", "1");
  const ports = assignPorts(
    plans.flatMap(({ service, isTcp, backends }) =>
      isTcp && backends.size > 0 ? [{ service, proposal: table.service(service)?.service.proxyPort ?? null }] : [],
    ),
    config.tcp,
    surroundings.portsTaken,
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
    if (entry.kind === "drawn") point(entryMap(plan), service, entry.parts);
    for (const { node, parts } of plan.splits) point("split", node, parts);
    for (const [key, next] of plan.fallback) maps.fallback.set(key, next);
    if (plan.last !== null) maps.last.set(service, plan.last);
    for (const map of ["jars", "pins", "marks"] as const)
      for (const [key, value] of sessions[map]) maps[map].set(key, value);
    if (plan.sticky !== null) maps.sticky.set(service, plan.sticky);
    if (plan.rules.length > 0) maps.whens.set(service, "1");
    for (const rule of plan.rules) {
      if (rule.kind === "path") maps.when_path.set(`/${service}${rule.prefix}`, rule.node);
      else {
        maps.when.set(`${service}|${rule.key}`, String(rule.age));
        maps.when_node.set(`${service}|${rule.age}`, rule.node);
      }
    }
    needs.set(service, neededBackends(plan));
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
    problems: [...problems, ...plans.flatMap((plan) => plan.problems), ...ports.problems],
  };
}

/** Shown only while a service that is live has no entry yet. */
const SETTING_UP = "it has just been registered and is being set up";

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

function blockKeys({ service, entry, splits }: ServicePlan): string[] {
  return [...(entry.kind === "drawn" ? [service] : []), ...splits.map(({ node }) => node)];
}

function neededBackends({ backends, entry, splits, rules, sessions, last }: ServicePlan): Set<string> {
  const nodes = [
    ...backends.keys(),
    ...(entry.kind === "plain" ? [entry.backend] : []),
    ...(entry.kind === "drawn" ? entry.parts.map(({ node }) => node) : []),
    ...splits.flatMap(({ parts }) => parts.map(({ node }) => node)),
    ...rules.map(({ node }) => node),
    ...sessions.pins.map(([, place]) => place.split("/")[0] as string),
    ...(last === null ? [] : [last]),
  ];
  const divided = new Set(splits.map(({ node }) => node));
  return new Set(nodes.filter((node) => !divided.has(node)));
}

/** A service that HAProxy refused: known, and with nothing behind it. */
function withoutBackends(plan: ServicePlan, refusal: string): ServicePlan {
  return {
    ...plan,
    backends: new Map(),
    entry: { kind: "down", reason: `left out, ${refusal}` },
    splits: [],
    rules: [],
    sticky: null,
    sessions: NO_SESSIONS,
    fallback: [],
    last: null,
  };
}

function requestKeys(plans: readonly ServicePlan[], backends: Iterable<BackendStructure>): RequestKeys {
  const rules = plans.flatMap((plan) => plan.rules);
  const whenNames = (letter: "h" | "c" | "q"): string[] =>
    sorted(rules.flatMap((rule) => (rule.kind === "value" && rule.letter === letter ? [rule.name] : [])));
  const sticky = plans.flatMap((plan) => (plan.sticky === null ? [] : [plan.sticky]));
  const stickyNames = (letter: "h:" | "c:"): string[] =>
    sorted(sticky.filter((key) => key.startsWith(letter)).map((key) => key.slice(letter.length)));
  const lengths = new Set([0]);
  for (const { base } of backends) lengths.add(base.length);
  return {
    whenHeaders: whenNames("h"),
    whenCookies: whenNames("c"),
    whenQueries: whenNames("q"),
    stickyHeaders: stickyNames("h:"),
    stickyCookies: stickyNames("c:"),
    stickyIp: sticky.includes("ip"),
    sessionCookies: sorted(plans.flatMap(({ sessions }) => sessions.cookies)),
    baseLengths: [...lengths].sort((a, b) => a - b),
  };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
