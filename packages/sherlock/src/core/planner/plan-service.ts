import type { Balance, SlotRange } from "@datawire/protocol";
import type { TrafficSplit, Part, Rule } from "@datawire/routing";
import type { ServiceView, CatalogReader } from "@datawire/catalog";
import { ALL_SLOTS, apportion, countSlots, parseServiceAddress } from "@datawire/protocol";
import { splitTraffic, effectiveTable, groupOf, isNamed } from "@datawire/routing";
import { missingForBalance } from "./balance-support.ts";
import { describeProblem } from "./describe-problem.ts";
import { downReason } from "./down-reason.ts";
import { type Candidate, fallbackLines } from "./fallback.ts";
import { digest } from "../model/hash.ts";
import { keysOfRoutes } from "../model/keys.ts";
import type { ServiceLimits, ServiceOverride } from "../model/limits.ts";
import { balanceOf, limitsOf, tooLongOf } from "../model/limits.ts";
import type { WeightedBackend } from "./placement.ts";
import { backendsOf, mergeServers, numberServers, placeDefault, placeInstance, weaknessOf } from "./placement.ts";
import type { BackendStructure, PlannedServer, PlanProblem } from "../model/plan.ts";
import { DRAINED, NOTHING } from "../model/plan.ts";
import type { BlockPart } from "../model/prefixes.ts";
import { BLOCK_SIZE } from "../model/prefixes.ts";
import { reasonsOfShares, type RuleLine, ruleLines } from "../model/rules.ts";
import { SessionScopes } from "./session-scopes.ts";
import type { SessionPlan } from "./sessions.ts";

import type { Entry, PlannedBackend, ServiceContext, ServicePlan, Split } from "./service-plan.ts";

/** Plans one service of a table whose unreachable instances are down; null for a service that is not in the table. */
export function planService(table: CatalogReader, name: string, context: ServiceContext): ServicePlan | null {
  const view = table.service(name);
  const trafficSplit = splitTraffic(table, name, { caller: context.caller, zone: context.zone });
  if (view === null || trafficSplit === null) return null;
  return new ServicePlanner(table, view, { trafficSplit, context }).plan();
}

class ServicePlanner {
  readonly #table: CatalogReader;
  readonly #view: ServiceView;
  readonly #trafficSplit: TrafficSplit;
  readonly #context: ServiceContext;
  readonly #problems: PlanProblem[] = [];
  readonly #splits = new Map<string, Split>();
  readonly #sessions: SessionScopes;
  readonly #name: string;
  readonly #limits: ServiceLimits;
  readonly #balance: Balance;
  #reasons: ReadonlyMap<string, string> = new Map();

  constructor(
    table: CatalogReader,
    view: ServiceView,
    { trafficSplit, context }: { readonly trafficSplit: TrafficSplit; readonly context: ServiceContext },
  ) {
    this.#table = table;
    this.#view = view;
    this.#trafficSplit = trafficSplit;
    this.#context = context;
    this.#name = view.service.name;
    const override = context.overrides.get(this.#name);
    this.#limits = limitsOf(view.service.settings, override);
    for (const setting of tooLongOf(view.service.settings)) {
      this.#problem(
        `//${this.#name}`,
        `Cannot wait as long as ${setting} says: HAProxy counts to 24d, which it is now`,
      );
    }
    this.#balance = this.#readBalance(view, override);
    this.#sessions = new SessionScopes({
      view,
      balance: this.#balance,
      table,
      context,
      balanceOf: (other) => this.#readBalance(other, this.#overrideOf(other.service.name)),
    });
  }

  plan(): ServicePlan {
    const backends = this.#backends();
    const rules = ruleLines(this.#trafficSplit.rules, (rule) => this.#scopedNode(`when ${rule.order}`, rule));
    const entry = this.#entry(rules);
    const { sticky: told } = this.#trafficSplit;
    const sticky = told === null ? null : this.#stickyKey(told);
    const sessions = this.#sessionPlan();
    return {
      service: this.#name,
      view: this.#view,
      isTcp: this.#view.service.protocol === "tcp",
      backends,
      entry,
      splits: [...this.#splits.values()],
      rules,
      reasons: this.#context.explain && this.#view.service.protocol !== "tcp" ? this.#reasons : null,
      sticky: entry.kind === "drawn" ? sticky : null,
      keys: keysOfRoutes(effectiveTable(this.#view, this.#context.caller), {
        sticky,
        sessionCookies: sessions.cookies,
      }),
      sessions,
      fallback: fallbackLines(this.#candidates(backends), {
        sameGroupOnly: this.#view.service.settings.failover === "none",
      }),
      last: this.#crosses() ? this.#primaryBackend(backends) : null,
      problems: this.#problems,
    };
  }

  #readBalance(view: ServiceView, override: ServiceOverride | undefined): Balance {
    try {
      const balance = balanceOf(view.service.settings, override);
      const { features, stickyIp } = this.#context;
      const wanted = missingForBalance(balance, view.service.protocol, { ...features, stickyIp });
      if (wanted === null) return balance;
      this.#problem(`//${view.service.name}`, `Cannot balance by ${wanted}`);
      return { kind: "round-robin" };
    } catch (error) {
      this.#problem(`//${view.service.name}`, describeProblem(error));
      return { kind: "round-robin" };
    }
  }

  #backends(): ReadonlyMap<string, PlannedBackend> {
    const found = new Map<string, { structure: BackendStructure; servers: Map<string, PlannedServer> }>();
    const add = (placed: ReturnType<typeof placeInstance>, subject: string): void => {
      if (!placed.ok) return this.#problem(subject, placed.reason);
      const { key, backend, server } = placed.placement;
      const weakness = weaknessOf(placed.placement);
      if (weakness !== null) this.#problem(subject, weakness);
      let entry = found.get(backend);
      if (entry === undefined) {
        const structure = { ...key, name: backend, balance: this.#balance, limits: this.#limits, pinned: false };
        entry = { structure, servers: new Map() };
        found.set(backend, entry);
      }
      const same = entry.servers.get(server.name);
      entry.servers.set(server.name, same === undefined ? server : mergeServers(same, server));
    };
    for (const instance of this.#view.instances) {
      add(placeInstance(this.#view, instance, this.#context), `//${this.#name}@${instance.name}`);
    }
    const { defaultUrl } = this.#view.service.settings;
    if (defaultUrl !== null) add(placeDefault(this.#view, defaultUrl, this.#context), `//${this.#name}`);
    return new Map(
      [...found].map(([backend, { structure, servers }]) => {
        const numbered = numberServers(servers.values(), this.#balance);
        return [backend, { structure, servers: new Map(numbered.map((server) => [server.name, server])) }];
      }),
    );
  }

  #entry(rules: readonly RuleLine[]): Entry {
    const { shares, holders } = this.#trafficSplit;
    const isKept = this.#sessions.cookie !== null;
    const parts: BlockPart[] = shares.map((share) => ({
      node: isKept ? this.#node(share.target, share.parts) : this.#scopedNode(share.target, share),
      slots: share.slots,
    }));
    if (this.#context.explain) this.#reasons = reasonsOfShares(shares, parts);
    this.#sessions.addOwn(holders);
    const [first] = parts;
    if (first === undefined || (parts.every(({ node }) => node === NOTHING) && rules.length === 0)) {
      const reason = downReason(this.#view, this.#trafficSplit.degraded);
      if (this.#sessions.isEmpty) return { kind: "down", reason };
      return { kind: "drawn", parts: [{ node: DRAINED, slots: ALL_SLOTS }], reason };
    }
    const whole = parts.every(({ node }) => node === first.node) && !this.#splits.has(first.node);
    if (whole && rules.length === 0 && this.#sessions.isEmpty) return { kind: "plain", backend: first.node };
    // The largest comes first, since the first costs one line however its slots lie.
    const sorted = parts.toSorted((a, b) => countSlots(b.slots) - countSlots(a.slots));
    return { kind: "drawn", parts: sorted, reason: null };
  }

  /** The node of a condition, or of a share, and what sessions there are in it. */
  #scopedNode(label: string, { parts, holders }: Pick<Rule, "parts" | "holders">): string {
    const keeper = this.#sessions.keeperOf(holders);
    const node = this.#node(label, parts, { own: keeper !== null });
    if (keeper !== null && node !== NOTHING) this.#sessions.add({ ...keeper, scope: node });
    return node;
  }

  #sessionPlan(): SessionPlan {
    if (this.#sessions.cookie !== null && !this.#context.sessionIds.shared)
      this.#problem(`//${this.#name}`, NOT_SHARED);
    const routes = effectiveTable(this.#view, this.#context.caller)?.routes ?? [];
    return this.#sessions.plan(routes.map(({ target }) => parseServiceAddress(target).service));
  }

  /**
   * The node of some parts: the backend itself where there is one, else a name that is divided again.
   * @param own whether the name has to be this node's alone.
   */
  #node(label: string, parts: readonly Part[], { own = false }: { readonly own?: boolean } = {}): string {
    const weights = new Map<string, number>();
    for (const part of parts) {
      for (const { backend, weight } of this.#portions(part)) {
        weights.set(backend, (weights.get(backend) ?? 0) + weight);
      }
    }
    const backends = [...weights].sort(([a], [b]) => (a < b ? -1 : 1));
    const [first] = backends;
    if (first === undefined) return NOTHING;
    if (backends.length === 1 && !own) return first[0];
    const division = divide(backends);
    // Named for what it leads to as well: a node that is in use is never changed, but replaced by another.
    const tag = digest(JSON.stringify(division)).slice(0, 8);
    const node = this.#freeNode(`${this.#name}>${label.replaceAll(" ", "_")}#${tag}`);
    this.#splits.set(node, { node, parts: division });
    return node;
  }

  #portions({ portion, pool }: Part): WeightedBackend[] {
    const view = pool.service === this.#name ? this.#view : this.#table.service(pool.service);
    if (view === null) return [];
    if (pool.kind === "refused") return [{ backend: NOTHING, weight: portion }];
    const balance = view === this.#view ? this.#balance : this.#readBalance(view, this.#overrideOf(pool.service));
    const backends = backendsOf(pool, { view, balance }, this.#context);
    const total = backends.reduce((sum, { weight }) => sum + weight, 0);
    return backends.map(({ backend, weight }) => ({ backend, weight: (portion * weight) / total }));
  }

  #overrideOf(service: string): ServiceOverride | undefined {
    return this.#context.overrides.get(service);
  }

  /** Two shares may have one target: an instances' part and a default URL's. */
  #freeNode(label: string): string {
    let node = label;
    for (let i = 2; this.#splits.has(node); i++) node = `${label}#${i}`;
    return node;
  }

  #candidates(backends: ReadonlyMap<string, PlannedBackend>): Candidate[] {
    return [...backends].map(([backend, { structure, servers }]) => ({
      backend,
      group: structure.group,
      rank: this.#rank(structure.group),
      alive: [...servers.values()].some((server) => server.ready),
    }));
  }

  /** In which order shares fall: the primary, the caller's targets, those of others, held ones, the default URL. */
  #rank(group: string | null): number {
    if (group === null) return 5;
    const member = this.#view.instances.find((instance) => groupOf(this.#view, instance) === group);
    if (member === undefined) return 5;
    if (!isNamed(this.#view, member)) return group === this.#primaryGroup() ? 0 : 4;
    const route = effectiveTable(this.#view, this.#context.caller)?.routes.find(({ target }) => target === group);
    if (route === undefined) return 3;
    return route.share > 0 ? 1 : 2;
  }

  #primaryGroup(): string {
    const { primary } = this.#view.service;
    return primary === null || primary === "" ? `//${this.#name}` : `//${this.#name}(${primary})`;
  }

  #crosses(): boolean {
    const routes = effectiveTable(this.#view, this.#context.caller)?.routes ?? [];
    return routes.some(({ target }) => parseServiceAddress(target).service !== this.#name);
  }

  #primaryBackend(backends: ReadonlyMap<string, PlannedBackend>): string | null {
    const alive = this.#candidates(backends).filter((candidate) => candidate.alive);
    const [first] = alive.sort((a, b) => a.rank - b.rank || (a.backend < b.backend ? -1 : 1));
    return first?.backend ?? null;
  }

  #stickyKey(sticky: NonNullable<TrafficSplit["sticky"]>): string | null {
    if (sticky.kind === "ip") {
      if (this.#context.stickyIp) return "ip";
      this.#problem(
        `//${this.#name}`,
        "Cannot keep users on one side by their address (--sticky ip): on loopback all have one; requests are drawn one by one",
      );
      return null;
    }
    return `${sticky.kind === "header" ? "h" : "c"}:${sticky.name}`;
  }

  #problem(subject: string, message: string): void {
    this.#problems.push({ subject, message });
  }
}

const NOT_SHARED =
  "Cannot keep its sessions at more than one Sherlock: wanted a directory that gives a key for their cookies, as newer ones do";

function divide(backends: readonly (readonly [string, number])[]): BlockPart[] {
  const counts = apportion(
    BLOCK_SIZE,
    backends.map(([, weight]) => weight),
  );
  let at = 0;
  const parts = backends.map(([node], i) => {
    const slots: SlotRange[] = [[at, (at += counts[i] as number)]];
    return { node, slots };
  });
  return parts.toSorted((a, b) => countSlots(b.slots) - countSlots(a.slots));
}
