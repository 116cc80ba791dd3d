import { formatServiceAddress, parseServiceAddress } from "./address.ts";
import { claimant, generationTarget, isNamed, newestGeneration, pool } from "./groups.ts";
import type { Sticky, When } from "./matchers.ts";
import { parseSticky, parseWhen } from "./matchers.ts";
import type { Instance, Route, RouteTable, SlotRange } from "./model.ts";
import { isUsable } from "./model.ts";
import { SLOTS } from "./percent.ts";
import { countSlots, divideSlots, joinSlots, remainingSlots } from "./slots.ts";
import type { ServiceView, TableReader } from "./table.ts";
import { describeGeneration, generationOf } from "./version.ts";

/** Where some requests end: instances that share them by the balance policy, a default URL, or a 503. */
export type Pool =
  | { readonly kind: "instances"; readonly service: string; readonly instances: readonly Instance[] }
  | { readonly kind: "url"; readonly service: string; readonly url: string }
  | { readonly kind: "refused"; readonly service: string };

/** A part of a share; the portions of one share add up to 1. More than one where the share enters another service. */
export interface Part {
  readonly portion: number;
  /** The target within the pool's service. */
  readonly target: string;
  readonly pool: Pool;
}

/** What one target gets of a caller's requests to a service. */
export interface Share {
  /** The primary's target is `//NAME`. */
  readonly target: string;
  readonly slots: readonly SlotRange[];
  readonly parts: readonly Part[];
  readonly reason: string;
}

/** A `--when` condition with where its requests go; in the order in which they are tried. */
export interface Rule {
  readonly when: When;
  readonly target: string;
  readonly order: number;
  readonly parts: readonly Part[];
  readonly reason: string;
}

/** Where the requests of one caller to one service go. */
export interface Distribution {
  readonly service: string;
  readonly caller: string;
  /** The table that decides: the caller's own, else that for any caller, else none. */
  readonly table: RouteTable | null;
  /** Together all 10,000 slots, or none when nothing is live. Every share has at least one slot. */
  readonly shares: readonly Share[];
  readonly rules: readonly Rule[];
  readonly sticky: Sticky | null;
  /** Why the primary's share does not go to the primary; null while it does. */
  readonly degraded: string | null;
}

export interface Viewpoint {
  /** The name of the caller, or `*`. */
  readonly caller: string;
  /** The zone of the caller, where it has one. */
  readonly zone: string | null;
}

/**
 * Says where requests go: the one implementation of routing rules 3 and 4, which the proxy, `dw route list`,
 * `dw explain` and libraries share.
 */
export function distribute(table: TableReader, service: string, viewpoint: Viewpoint): Distribution | null {
  const view = table.service(service);
  return view === null ? null : new Distributor(table, view, viewpoint).distribution();
}

/** The route table that holds for a caller: its own replaces the one for any caller as a whole. */
export function effectiveTable(view: ServiceView, caller: string): RouteTable | null {
  const own = view.tables.find((table) => table.caller === caller);
  return own ?? view.tables.find((table) => table.caller === "*") ?? null;
}

/** Whether a route's target is the whole service itself: the rest then goes to the service's default URL. */
export function isWholeService(table: { readonly service: string }, target: string): boolean {
  return target === formatServiceAddress({ service: table.service, instance: null, version: null });
}

/** A target with where its requests go; `parts` is empty when nothing of it is live. */
interface Outlet {
  readonly target: string;
  readonly parts: readonly Part[];
  /** For a division in proportion; of no meaning alone. */
  readonly weight: number;
  readonly reason: string;
}

/** What another service counts beside targets with instances of their own, where only weights tell: one plain instance. */
const CROSSING_WEIGHT = 100;

class Distributor {
  readonly #table: TableReader;
  readonly #view: ServiceView;
  readonly #viewpoint: Viewpoint;
  readonly #routes: RouteTable | null;
  /** False inside a share of another service: chains are one level deep. */
  readonly #mayCross: boolean;

  constructor(table: TableReader, view: ServiceView, viewpoint: Viewpoint, mayCross = true) {
    this.#table = table;
    this.#view = view;
    this.#viewpoint = viewpoint;
    this.#mayCross = mayCross;
    this.#routes = effectiveTable(view, viewpoint.caller);
  }

  distribution(): Distribution {
    const primary = this.#primary();
    const fallback = primary.parts.length > 0 ? [primary] : this.#fallback();
    const shares = this.#shares(primary, fallback);
    return {
      service: this.#name,
      caller: this.#viewpoint.caller,
      table: this.#routes,
      shares,
      rules: shares.length === 0 ? [] : this.#rules(primary, fallback),
      sticky: this.#routes?.sticky == null || !this.#mayCross ? null : parseSticky(this.#routes.sticky),
      degraded: primary.parts.length > 0 ? null : primary.reason,
    };
  }

  get #name(): string {
    return this.#view.service.name;
  }

  /** The address of the service itself, which as a target is its primary. */
  get #whole(): string {
    return formatServiceAddress({ service: this.#name, instance: null, version: null });
  }

  #shares(primary: Outlet, fallback: readonly Outlet[]): Share[] {
    const shares: Share[] = [];
    const routes = this.#routes?.routes ?? [];
    /** What falls to the primary, or to whatever stands in for it. */
    const toPrimary = [];
    for (const route of routes) {
      if (route.share === 0) continue;
      const outlet = this.#isWhole(route) ? primary : this.#outlet(route);
      if (outlet.parts.length === 0) toPrimary.push(route.slots);
      else shares.push({ target: outlet.target, slots: route.slots, parts: outlet.parts, reason: outlet.reason });
    }
    const rest = remainingSlots(routes.map((route) => route.slots));
    const defaultUrl = this.#defaultUrl();
    if (routes.some((route) => this.#isWhole(route)) && defaultUrl !== null) {
      shares.push({ ...defaultUrl, slots: rest, reason: "the rest goes to the default URL" });
    } else {
      toPrimary.push(rest);
    }
    const slots = joinSlots(toPrimary);
    const divided = divideSlots(
      slots,
      fallback.map((outlet) => outlet.weight),
    );
    fallback.forEach((outlet, i) => {
      shares.push({
        target: outlet.target,
        slots: divided[i] as SlotRange[],
        parts: outlet.parts,
        reason: outlet.reason,
      });
    });
    return this.#anyLive(shares) ? mergeShares(shares) : [];
  }

  /** The `--when` rules, the longest path first, then the others by age. */
  #rules(primary: Outlet, fallback: readonly Outlet[]): Rule[] {
    if (!this.#mayCross) return [];
    const rules: Rule[] = [];
    for (const route of this.#routes?.routes ?? []) {
      if (route.when === null) continue;
      const outlet = this.#isWhole(route) ? primary : this.#outlet(route);
      const live = outlet.parts.length > 0;
      rules.push({
        when: parseWhen(route.when),
        target: live ? outlet.target : this.#whole,
        order: route.order,
        parts: live ? outlet.parts : blend(fallback),
        reason: live ? `--when ${route.when}` : `${outlet.target} has no live instance`,
      });
    }
    const pathLength = ({ when }: Rule): number => (when.kind === "path" ? when.prefix.length : 0);
    return rules.sort((a, b) => pathLength(b) - pathLength(a) || a.order - b.order);
  }

  #primary(): Outlet {
    const { primary } = this.#view.service;
    const target = this.#whole;
    if (primary === null) return { target, parts: [], weight: 0, reason: "no instance was ever registered" };
    const generation = this.#view.instances.filter((instance) => generationOf(instance.version) === primary);
    const own = generation.filter((instance) => !isNamed(this.#view, instance));
    const parts = this.#parts(target, own);
    const which = `the primary, ${describeGeneration(primary)},`;
    const reason =
      parts.length > 0
        ? `the primary, ${describeGeneration(primary)}`
        : generation.length === 0
          ? `${which} has no registered instance`
          : own.length === 0
            ? `${which} has all of its instances named by routes`
            : `${which} has no live instance`;
    return { target, parts, weight: 1, reason };
  }

  /** What stands in for a primary without a live instance (routing rules, section 3); empty when nothing is live. */
  #fallback(): Outlet[] {
    const standIn = (why: string) => (outlet: Outlet) => ({ ...outlet, reason: `stands in for the primary: ${why}` });
    if (this.#view.service.settings.failover === "none") return [this.#refusal()];
    const targets = (this.#routes?.routes ?? []).filter((route) => !this.#isWhole(route));
    const shared = targets.filter((route) => route.share > 0).map((route) => this.#outlet(route, route.share));
    const alive = (outlet: Outlet): boolean => outlet.parts.length > 0;
    if (shared.some(alive)) return shared.filter(alive).map(standIn("it has a share of its own"));
    const unshared = targets.filter((route) => route.share === 0).map((route) => this.#outlet(route));
    if (unshared.some(alive)) return unshared.filter(alive).map(standIn("it is a target with 0%"));
    const others = this.#namedByOthers();
    if (others.length > 0) return others.map(standIn("a route of another caller names it"));
    const held = this.#newestHeld();
    if (held !== null) return [standIn("it is the newest held version")(held)];
    const defaultUrl = this.#defaultUrl();
    return defaultUrl === null ? [] : [standIn("nothing is live, so the default URL is used")(defaultUrl)];
  }

  #refusal(): Outlet {
    const target = this.#whole;
    const parts: Part[] = [{ portion: 1, target, pool: { kind: "refused", service: this.#name } }];
    return { target, weight: 1, parts, reason: "refused: the primary has no live instance, and failover is none" };
  }

  /** A refusal is worth showing only beside something that lives; alone it says "nothing is live". */
  #anyLive(shares: readonly Share[]): boolean {
    if (this.#view.instances.some(isUsable)) return true;
    return shares.some((share) => share.parts.some((part) => part.pool.kind !== "refused"));
  }

  #namedByOthers(): Outlet[] {
    const byTarget = new Map<string, Instance[]>();
    for (const instance of this.#view.instances) {
      const target = claimant(this.#view.named, instance);
      if (target !== null) byTarget.set(target, [...(byTarget.get(target) ?? []), instance]);
    }
    return [...byTarget]
      .map(([target, members]) => this.#instancesOutlet(target, members))
      .filter((outlet) => outlet.parts.length > 0);
  }

  #newestHeld(): Outlet | null {
    const held = this.#view.instances.filter(
      (instance) =>
        isUsable(instance) &&
        !isNamed(this.#view, instance) &&
        generationOf(instance.version) !== this.#view.service.primary,
    );
    const newest = newestGeneration(held);
    if (newest === null) return null;
    const members = this.#view.instances.filter(
      (instance) => generationOf(instance.version) === newest && !isNamed(this.#view, instance),
    );
    return this.#instancesOutlet(generationTarget(this.#name, newest), members);
  }

  #defaultUrl(): Outlet | null {
    const url = this.#view.service.settings.defaultUrl;
    if (url === null) return null;
    const target = this.#whole;
    const parts: Part[] = [{ portion: 1, target, pool: { kind: "url", service: this.#name, url } }];
    return { target, parts, weight: 1, reason: "the default URL" };
  }

  #outlet(route: Route, weight?: number): Outlet {
    const address = parseServiceAddress(route.target);
    if (address.service !== this.#name) return this.#crossing(route, weight ?? CROSSING_WEIGHT);
    const targets = (this.#routes?.routes ?? []).map((other) => other.target);
    const members = this.#view.instances.filter((instance) => claimant(targets, instance) === route.target);
    const outlet = this.#instancesOutlet(route.target, members);
    return { ...outlet, weight: weight ?? outlet.weight };
  }

  /** A share that enters another service: its own distribution for `//b`, the named instances for `//b(2)`. */
  #crossing(route: Route, weight: number): Outlet {
    const dead: Outlet = { target: route.target, parts: [], weight, reason: "" };
    const address = parseServiceAddress(route.target);
    const other = this.#mayCross ? this.#table.service(address.service) : null;
    if (other === null) return dead;
    const inside = new Distributor(this.#table, other, this.#viewpoint, false);
    const reason = `${this.#routeReason()} to another service`;
    if (address.version === null && address.instance === null) {
      return { ...dead, parts: blendShares(inside.distribution().shares), reason };
    }
    const targets = [route.target];
    const members = other.instances.filter((instance) => claimant(targets, instance) !== null);
    return { ...dead, parts: inside.#parts(route.target, members), reason };
  }

  #instancesOutlet(target: string, members: readonly Instance[]): Outlet {
    const parts = this.#parts(target, members);
    const weight = members.filter(isUsable).reduce((sum, instance) => sum + instance.weight, 0);
    return { target, parts, weight, reason: this.#routeReason() };
  }

  #routeReason(): string {
    if (this.#routes === null) return "a route";
    return this.#routes.caller === "*" ? "a route for any caller" : `a route for ${this.#routes.caller}`;
  }

  #parts(target: string, members: readonly Instance[]): Part[] {
    const instances = pool(members, this.#viewpoint.zone);
    if (instances.length === 0) return [];
    return [{ portion: 1, target, pool: { kind: "instances", service: this.#name, instances } }];
  }

  #isWhole(route: Route): boolean {
    return isWholeService({ service: this.#name }, route.target);
  }
}

/** Joins shares of the same target and drops empty ones; the first reason stays unless a later one says more. */
function mergeShares(shares: readonly Share[]): Share[] {
  const merged: Share[] = [];
  for (const share of shares) {
    if (countSlots(share.slots) === 0) continue;
    const at = merged.findIndex((other) => other.target === share.target && samePools(other.parts, share.parts));
    const other = merged[at];
    if (other === undefined) merged.push(share);
    else merged[at] = { ...other, slots: joinSlots([other.slots, share.slots]), reason: share.reason };
  }
  return merged;
}

function samePools(a: readonly Part[], b: readonly Part[]): boolean {
  return a.length === b.length && a.every((part, i) => part.pool.kind === b[i]?.pool.kind);
}

/** What several outlets are together, in proportion to their weights. */
function blend(outlets: readonly Outlet[]): Part[] {
  const total = outlets.reduce((sum, outlet) => sum + outlet.weight, 0);
  return outlets.flatMap((outlet) =>
    outlet.parts.map((part) => ({ ...part, portion: (part.portion * outlet.weight) / total })),
  );
}

function blendShares(shares: readonly Share[]): Part[] {
  return shares.flatMap((share) =>
    share.parts.map((part) => ({ ...part, portion: (part.portion * countSlots(share.slots)) / SLOTS })),
  );
}
