import type { CatalogReader } from "@datawire/catalog";
import {
  type Instance,
  isUsable,
  listShort,
  meetsRequirement,
  nearest,
  parseName,
  parseVersion,
} from "@datawire/protocol";
import type { CallerContext } from "@datawire/routing";
import type { BreakerSettings } from "../session/breaker.ts";
import type { Json } from "../session/json.ts";
import { MdkError, translating } from "../session/mdk-error.ts";
import type { Choice } from "../session/node.ts";
import type { Chance } from "./balance.ts";
import { Breakers } from "./breakers.ts";
import { type Known, meets, Plan, type PlanDeps, type Wanted } from "./plan.ts";
import { Turns } from "./turns.ts";

/** Which environment a table is of, and for whom it is read. */
export interface TableConfig {
  readonly environment: string;
  readonly caller: CallerContext;
  readonly breaker: BreakerSettings;
}

/** The most versions, and sets of tags, of one service that plans are kept of: what is asked for may come from outside. */
const PLANS_MAX = 64;

/** The most versions of one service that are remembered as seen: each deployment may bring a new one. */
const SEEN_MAX = 1_000;

/** The plans of one service. */
interface Plans {
  readonly any: Plan;
  /** By version and tags. */
  readonly others: Map<string, Plan>;
}

/** What one environment has, as one caller sees it. Plans are made when they are first asked for, and kept. */
export class EnvironmentTable {
  readonly #config: TableConfig;
  readonly #table: CatalogReader;
  readonly #deps: Omit<PlanDeps, "turns">;
  /** Those of each service for calls that ask for no version: a change of the table begins none anew. */
  readonly #turns = new Map<string, Turns>();
  readonly #breakers: Breakers;
  readonly #plans = new Map<string, Plans>();
  readonly #choices = new WeakMap<Instance, Choice>();
  /** Service → versions that were ever registered here; `null` for none. */
  readonly #seen = new Map<string, Set<string | null>>();
  /** `HOST` or `HOST:PORT` of all instances; made when it is first asked for after a change. */
  #hosts: Set<string> | null = null;

  constructor(config: TableConfig, table: CatalogReader, chance: Chance) {
    this.#config = config;
    this.#table = table;
    this.#breakers = new Breakers(config.breaker);
    this.#deps = {
      ...chance,
      choiceOf: (instance) => this.#choiceOf(instance),
      choiceOfUrl: (service, url) => this.#choiceOfUrl(service, url),
    };
  }

  /** The table says something new of these services. */
  changed(services: Iterable<string>): void {
    this.#hosts = null;
    for (const name of services) {
      this.#plans.delete(name);
      const view = this.#table.service(name);
      if (view === null) {
        this.#turns.delete(name);
        continue;
      }
      const { defaultUrl } = view.service.settings;
      this.#breakers.keep(
        name,
        new Set([...view.instances.map(({ url }) => url), ...(defaultUrl ? [defaultUrl] : [])]),
      );
      const seen = this.#seen.get(name) ?? new Set();
      for (const { version } of view.instances) if (seen.size < SEEN_MAX) seen.add(version);
      this.#seen.set(name, seen);
    }
  }

  /** The next node; null where there is none now. @throws MdkError `invalid_argument` */
  next(wanted: Wanted, known: Known | null): Choice | null {
    return this.#plan(wanted).next(known);
  }

  /** Whether anything that meets a requirement was ever registered here. */
  hasSeen(service: string, version: string | null): boolean {
    if (this.#table.service(service)?.service.settings.defaultUrl != null) return true;
    const seen = this.#seen.get(service);
    if (seen === undefined || version === null) return seen !== undefined && seen.size > 0;
    return [...seen].some((one) => meetsRequirement(one, version));
  }

  /** When the first breaker that stands in the way lets a try through; null where none does. */
  retryMs(wanted: Wanted): number | null {
    const times = [...this.#plan(wanted).choices()].flatMap(({ breaker }) => breaker.untilMs ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Why there is no node, and what there is instead. @param inMs how long until `atMs` of the monotonic clock. */
  refusal(wanted: Wanted, inMs: (atMs: number) => number): MdkError {
    const { service, version, tags } = wanted;
    const tagged = tags.length === 0 ? "" : ` with ${tags.join(", ")}`;
    const what = `Cannot resolve ${service}${version === null ? "" : ` ${version}`}${tagged}`;
    const { environment } = this.#config;
    const view = this.#table.service(service);
    if (view === null) {
      const near = nearest(service, [...this.#table.serviceNames()]);
      const hint = near === undefined ? "" : `; did you mean ${near}?`;
      return new MdkError("not_found", `${what}: no service of that name is known in ${environment}${hint}`);
    }
    const atMs = this.retryMs(wanted);
    if (atMs !== null && view.instances.some((one) => meets(one, wanted))) {
      const seconds = Math.ceil(Math.max(0, inMs(atMs)) / 1_000);
      const why = "the circuit breakers of all nodes that meet it have tripped";
      return new MdkError("unavailable", `${what}: ${why}; the first one is tried again in ${seconds} s`);
    }
    const live = view.instances.filter(isUsable);
    const versions = [...new Set(live.map((instance) => instance.version ?? "without a version"))];
    if (live.length > 0 && view.service.settings.failover === "none" && version === null)
      return new MdkError("unavailable", `${what}: its primary has no live instance, and it has failover: none`);
    const there = versions.length === 0 ? "nothing of it is live" : `live are ${listShort(versions)}`;
    return new MdkError("not_found", `${what}: no live instance in ${environment} meets that; ${there}`);
  }

  /** Whether an instance or a default URL is at a host, with its port. */
  hasHost(host: string): boolean {
    this.#hosts ??= new Set([...this.#table.serviceNames()].flatMap((name) => [...this.#hostsOf(name)]));
    return this.#hosts.has(host);
  }

  *#hostsOf(service: string): Generator<string> {
    const view = this.#table.service(service);
    if (view === null) return;
    const { defaultUrl } = view.service.settings;
    for (const url of [
      ...view.instances.map((instance) => instance.url),
      ...(defaultUrl === null ? [] : [defaultUrl]),
    ]) {
      const absolute = url.includes("://") ? url : `http://${url}`;
      if (URL.canParse(absolute)) yield new URL(absolute).host;
    }
  }

  #plan(wanted: Wanted): Plan {
    const { service, version, tags } = wanted;
    const isAny = version === null && tags.length === 0;
    const known = this.#plans.get(service);
    if (known !== undefined) {
      if (isAny) return known.any;
      const plan = known.others.get(keyOf(wanted));
      if (plan !== undefined) return plan;
    }
    translating(() => parseName(requireText(service, "service"), "service"));
    if (version !== null) translating(() => parseVersion(requireText(version, "version")));
    const plans = known ?? { any: this.#made({ service, version: null, tags: [] }), others: new Map<string, Plan>() };
    // What the table does not know may be any name: it is not worth keeping.
    if (known === undefined && this.#table.service(service) !== null) this.#plans.set(service, plans);
    if (isAny) return plans.any;
    const plan = this.#made(wanted);
    if (plans.others.size < PLANS_MAX) plans.others.set(keyOf(wanted), plan);
    return plan;
  }

  #made(wanted: Wanted): Plan {
    const turns = this.#turnsOf(wanted);
    return new Plan(wanted, this.#table, this.#config.caller, { ...this.#deps, turns });
  }

  #turnsOf({ service, version, tags }: Wanted): Turns {
    const isAny = version === null && tags.length === 0;
    const known = isAny ? this.#turns.get(service) : undefined;
    if (known !== undefined) return known;
    const turns = new Turns(this.#deps.random);
    if (isAny && this.#table.service(service) !== null) this.#turns.set(service, turns);
    return turns;
  }

  #choiceOf(instance: Instance): Choice {
    const known = this.#choices.get(instance);
    if (known !== undefined) return known;
    const { service, name, version, url, weight, zone, tags } = instance;
    const properties: Record<string, Json> = { weight, zone, tags: [...tags] };
    const choice = this.#withBreaker({ id: name, service, version, address: url, properties });
    this.#choices.set(instance, choice);
    return choice;
  }

  #choiceOfUrl(service: string, url: string): Choice {
    return this.#withBreaker({ id: "default", service, version: null, address: url, properties: {} });
  }

  #withBreaker(node: Omit<Choice["node"], "environment">): Choice {
    return {
      node: Object.freeze({ ...node, environment: this.#config.environment }),
      breaker: this.#breakers.of(node.service, node.address),
    };
  }
}

/** Mostly the version alone; no version has a line break. */
const keyOf = ({ version, tags }: Wanted): string =>
  tags.length === 0 ? (version ?? "") : [version ?? "", ...tags].join("\n");

/** Without types, anything may be passed; the rules for names would take `undefined` for the text of that name. */
function requireText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new MdkError("invalid_argument", `Cannot use ${String(value)} as a ${what}: wanted a text`);
}
