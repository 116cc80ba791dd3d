import type { CatalogReader, ServiceView } from "@datawire/catalog";
import { type Instance, isUsable, meetsRequirement, SLOTS, type SlotRange, type Sticky } from "@datawire/protocol";
import {
  type CallerContext,
  type Part,
  pool,
  type RequestFacts,
  type Rule,
  ruleMatches,
  type Share,
  slotOf,
  splitTraffic,
} from "@datawire/routing";
import type { Choice } from "../session/node.ts";
import { type Balancer, type Chance, createBalancer } from "./balance.ts";
import { keyIn } from "./request-facts.ts";
import type { Turns } from "./turns.ts";

/** What the plan of a service is made with. */
export interface PlanDeps extends Chance {
  /** The choice that stands for an instance, always the same for one entity of the table. */
  readonly choiceOf: (instance: Instance) => Choice;
  readonly choiceOfUrl: (service: string, url: string) => Choice;
  /** Which slot the next call draws; kept by the caller, so that a plan that is made anew goes on where the one before was. */
  readonly turns: Turns;
}

/** What is asked for. */
export interface Wanted {
  readonly service: string;
  /** Null for whatever the routes give. */
  readonly version: string | null;
  /** All of them. */
  readonly tags: readonly string[];
}

/** What is known of the request in question. */
export interface Known {
  readonly facts: RequestFacts;
  readonly key: string | null;
}

/** A share with the nodes in it that meet the requirement; more than one part where it enters another service. */
interface PlannedShare {
  readonly slots: readonly SlotRange[];
  readonly count: number;
  readonly parts: readonly { readonly portion: number; readonly balancer: Balancer }[];
  /** Whether calls that draw this share are refused: nothing of it is live, and the service wants no failover. */
  readonly refuses: boolean;
}

/**
 * Where one caller's calls for one service and version go, worked out from the table once: the next choice is a draw.
 * Made anew when the table says something else of the service.
 */
export class Plan {
  readonly #service: string;
  readonly #deps: Chance;
  readonly #rules: readonly { readonly rule: Rule; readonly share: PlannedShare }[];
  readonly #shares: readonly PlannedShare[];
  readonly #count: number;
  readonly #sticky: Sticky | null;
  readonly #by: Parameters<typeof keyIn>[1] | null;
  /** All live instances that meet the requirement, held ones too: for when the shares have none. */
  readonly #spare: Balancer | null;
  /** The only balancer there is, in the usual case. */
  readonly #only: Balancer | null;
  readonly #turns: Turns;

  constructor(wanted: Wanted, table: CatalogReader, callerContext: CallerContext, deps: PlanDeps) {
    this.#service = wanted.service;
    this.#deps = deps;
    const view = table.service(wanted.service);
    const split = splitTraffic(table, wanted.service, callerContext);
    const compile = (share: Share | Rule): PlannedShare => compileShare(share, wanted, table, deps);
    const shares = (split?.shares ?? []).map(compile).filter(leadsSomewhere);
    this.#shares = shares;
    this.#count = shares.reduce((sum, { count }) => sum + count, 0);
    this.#rules = (split?.rules ?? []).flatMap((rule) => {
      const share = compile(rule);
      return leadsSomewhere(share) ? [{ rule, share }] : [];
    });
    this.#sticky = split?.sticky ?? null;
    const policy = view?.service.settings.balance ?? null;
    this.#by = consistentBy(policy);
    this.#spare = view === null || wanted.version === null ? null : spareOf(view, wanted, callerContext, deps);
    this.#only = this.#rules.length === 0 ? onlyBalancer(shares) : null;
    this.#turns = deps.turns;
  }

  /** The next node; null where all that there is has tripped, or there is nothing. */
  next(known: Known | null): Choice | null {
    if (this.#only !== null && (known === null || this.#by === null)) return this.#only.next(null) ?? this.#spared();
    const share = this.#matching(known) ?? this.#drawn(known);
    if (share === null) return this.#spared();
    if (share.refuses) return null;
    return this.#within(share, known) ?? this.#beside(share, known) ?? this.#spared();
  }

  /** All that may be chosen, for saying why nothing was. */
  *choices(): Generator<Choice> {
    for (const { parts } of [...this.#rules.map(({ share }) => share), ...this.#shares])
      for (const { balancer } of parts) yield* balancer.choices;
    if (this.#spare !== null) yield* this.#spare.choices;
  }

  #spared(): Choice | null {
    return this.#spare?.next(null) ?? null;
  }

  #matching(known: Known | null): PlannedShare | null {
    if (known === null || this.#rules.length === 0) return null;
    return this.#rules.find(({ rule }) => ruleMatches(rule, known.facts))?.share ?? null;
  }

  /** The share whose slot is drawn: by the sticky key, else the one whose turn it is. */
  #drawn(known: Known | null): PlannedShare | null {
    if (this.#shares.length <= 1) return this.#shares[0] ?? null;
    const sticky = this.#sticky === null || known === null ? null : (known.key ?? keyIn(known.facts, this.#sticky));
    if (sticky !== null) return this.#at(slotOf(this.#service, sticky));
    return this.#at(this.#turns.next());
  }

  /** The share that has a slot. One that was dropped leaves its slots to the others, in proportion. */
  #at(slot: number): PlannedShare | null {
    const owner = this.#shares.find(({ slots }) => slots.some(([from, to]) => slot >= from && slot < to));
    if (owner !== undefined) return owner;
    const before = this.#shares.reduce((sum, { slots }) => sum + countBelow(slots, slot), 0);
    const place = (slot - before + 0.5) / (SLOTS - this.#count);
    return pickShare(this.#shares, place);
  }

  #within({ parts }: PlannedShare, known: Known | null): Choice | null {
    const key = known === null ? null : (known.key ?? (this.#by === null ? null : keyIn(known.facts, this.#by)));
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first.balancer.next(key);
    let left = parts;
    while (left.length > 0) {
      const part = pickPart(left, this.#deps.random());
      const choice = part.balancer.next(key);
      if (choice !== null) return choice;
      left = left.filter((one) => one !== part);
    }
    return null;
  }

  /** What another share has, where all of the one that was drawn has tripped. */
  #beside(share: PlannedShare, known: Known | null): Choice | null {
    let others = this.#shares.filter((one) => one !== share && !one.refuses);
    while (others.length > 0) {
      const other = pickShare(others, this.#deps.random()) as PlannedShare;
      const choice = this.#within(other, known);
      if (choice !== null) return choice;
      others = others.filter((one) => one !== other);
    }
    return null;
  }
}

const leadsSomewhere = ({ parts, refuses }: PlannedShare): boolean => parts.length > 0 || refuses;

function compileShare(share: Share | Rule, wanted: Wanted, table: CatalogReader, deps: PlanDeps): PlannedShare {
  const slots = "slots" in share ? share.slots : [];
  const parts = share.parts.flatMap((part) => compilePart(part, wanted, table, deps));
  const refuses = wanted.version === null && share.parts.some((part) => part.pool.kind === "refused");
  return { slots, count: slots.reduce((sum, [from, to]) => sum + to - from, 0), parts, refuses };
}

function compilePart({ portion, pool }: Part, wanted: Wanted, table: CatalogReader, deps: PlanDeps) {
  if (pool.kind === "refused") return [];
  const isOwn = pool.service === wanted.service;
  if (pool.kind === "url") {
    if (isOwn && wanted.tags.length > 0) return [];
    const choice = deps.choiceOfUrl(pool.service, pool.url);
    return [{ portion, balancer: createBalancer([{ choice, weight: 1 }], null, deps) }];
  }
  // The versions of another service are its own: the requirement is about the one that was asked for.
  const isAsked = isOwn && (wanted.version !== null || wanted.tags.length > 0);
  const instances = isAsked ? pool.instances.filter((one) => meets(one, wanted)) : pool.instances;
  if (instances.length === 0) return [];
  const policy = table.service(pool.service)?.service.settings.balance ?? null;
  return [{ portion, balancer: balancerOf(instances, policy, deps) }];
}

function spareOf(view: ServiceView, wanted: Wanted, { zone }: CallerContext, deps: PlanDeps): Balancer | null {
  const members = pool(
    view.instances.filter((instance) => meets(instance, wanted)),
    zone,
  );
  return members.length === 0 ? null : balancerOf(members, view.service.settings.balance, deps);
}

function balancerOf(instances: readonly Instance[], policy: string | null, deps: PlanDeps): Balancer {
  const nodes = instances.map((instance) => ({ choice: deps.choiceOf(instance), weight: instance.weight }));
  return createBalancer(nodes, policy, deps);
}

/** Whether an instance takes requests and meets what is asked for. */
export function meets(instance: Instance, { version, tags }: Pick<Wanted, "version" | "tags">): boolean {
  if (!isUsable(instance) || (version !== null && !meetsRequirement(instance.version, version))) return false;
  return tags.every((tag) => instance.tags.includes(tag));
}

function onlyBalancer(shares: readonly PlannedShare[]): Balancer | null {
  const [share, ...others] = shares;
  if (share === undefined || others.length > 0 || share.refuses || share.parts.length !== 1) return null;
  return share.parts[0]?.balancer ?? null;
}

function consistentBy(policy: string | null): Parameters<typeof keyIn>[1] | null {
  const [, kind, name] = /^consistent:(header|cookie|path|ip)(?::(.*))?$/.exec(policy ?? "") ?? [];
  return kind === undefined ? null : { kind, name: kind === "header" ? (name ?? "").toLowerCase() : (name ?? "") };
}

/** @param place from 0 to below 1. */
function pickShare(shares: readonly PlannedShare[], place: number): PlannedShare | null {
  let at = place * shares.reduce((sum, { count }) => sum + count, 0);
  return shares.find(({ count }) => (at -= count) < 0) ?? shares.at(-1) ?? null;
}

function pickPart<T extends { readonly portion: number }>(parts: readonly T[], place: number): T {
  let at = place * parts.reduce((sum, { portion }) => sum + portion, 0);
  return parts.find(({ portion }) => (at -= portion) < 0) ?? (parts.at(-1) as T);
}

function countBelow(slots: readonly SlotRange[], slot: number): number {
  return slots.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, slot) - from), 0);
}
