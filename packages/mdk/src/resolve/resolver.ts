import type { CatalogReader } from "@datawire/catalog";
import type { CallerContext } from "@datawire/routing";
import type { BreakerSettings } from "../session/breaker.ts";
import type { Environment } from "../session/context.ts";
import { MdkError } from "../session/mdk-error.ts";
import type { Choice } from "../session/node.ts";
import type { Resolving, ResolveQuery } from "../session/deps.ts";
import { waitMsOf } from "../session/resolve-wait.ts";
import type { SessionClock } from "../session/time.ts";
import type { ResolveOptions } from "../session/types.ts";
import { EnvironmentTable } from "./environment-table.ts";
import type { Known, Wanted } from "./plan.ts";
import { KnownRequest } from "./request-facts.ts";

/** The table of one environment, as far as it has come. */
export interface EnvironmentSource {
  readonly table: CatalogReader;
  /** Why there is no table yet; null once there is one. */
  missing(): MdkError | null;
}

/** For whom services are resolved. */
export interface ResolverConfig {
  readonly caller: CallerContext;
  readonly breaker: BreakerSettings;
}

/** What a resolver works with. */
export interface ResolverDeps {
  readonly clock: SessionClock;
  readonly random: () => number;
  /** The source of an environment, which is followed from then on; it tells `changed` of what it brings. */
  readonly sourceOf: (environment: string) => EnvironmentSource;
  /** The environment is followed no more. */
  readonly release: (environment: string) => void;
}

interface Followed {
  readonly source: EnvironmentSource;
  readonly table: EnvironmentTable;
}

type Asked = Wanted & Pick<ResolveQuery, "environment">;

/** Who waits for a node. */
interface Waiter {
  readonly asked: Asked;
  readonly known: Known | null;
  readonly settle: (outcome: Choice | Error) => void;
  cancelRetry: () => void;
}

/** So many may wait at a time; the next one is answered at once. */
const WAITERS_MAX = 10_000;
/** The environments that are followed at a time, but for the process's own. */
const ENVIRONMENTS_MAX = 16;

/** Finds nodes in the local tables, and waits for those that are not there. */
export class Resolver implements Resolving {
  readonly #config: ResolverConfig;
  readonly #deps: ResolverDeps;
  readonly #followed = new Map<string, Followed>();
  readonly #waiters = new Set<Waiter>();
  /** The one that was asked last: mostly there is but one. */
  #last: { readonly name: string; readonly followed: Followed } | null = null;
  #stopped = false;

  constructor(config: ResolverConfig, deps: ResolverDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  pick(environment: Environment, service: string, version: string | null, options?: ResolveOptions): Choice | null {
    if (this.#stopped) throw stopped();
    return this.#find({ environment, service, version, tags: tagsOf(options) }, knownOf(options));
  }

  wait(query: ResolveQuery): Promise<Choice> {
    return new Promise((resolve, reject) => {
      const { signal } = query.options;
      const waitMs = waitMsOf(query);
      if (signal?.aborted === true) return reject(reasonOf(signal));
      const known = knownOf(query.options);
      const asked = { ...query, tags: tagsOf(query.options) };
      const atLast = (): Choice | MdkError => this.#find(asked, known, true) ?? this.#refusal(asked);
      if (waitMs <= 0 || this.#waiters.size >= WAITERS_MAX) {
        const outcome = atLast();
        return outcome instanceof MdkError ? reject(outcome) : resolve(outcome);
      }
      const onAbort = (): void => waiter.settle(reasonOf(signal as AbortSignal));
      const cancelTimer = this.#deps.clock.setTimer(waitMs, () => waiter.settle(atLast()));
      const waiter: Waiter = {
        asked,
        known,
        cancelRetry: () => {},
        settle: (outcome) => {
          if (!this.#waiters.delete(waiter)) return;
          cancelTimer();
          waiter.cancelRetry();
          signal?.removeEventListener("abort", onAbort);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#retryLater(waiter);
    });
  }

  /** A source brought news of these services, or of whether there is a table at all. */
  changed(environment: string, services: Iterable<string>): void {
    this.#followed.get(environment)?.table.changed(services);
    for (const waiter of this.#waiters) this.#retry(waiter);
  }

  /** Whether a table knows the service. */
  knows({ name, fallbackName }: Environment, service: string): boolean {
    return this.#has(name, service) || (fallbackName !== null && this.#has(fallbackName, service));
  }

  #has(environment: string, service: string): boolean {
    return this.#follow(environment).source.table.service(service) !== null;
  }

  /** Whether an instance of any table is at a host, with its port. */
  hasHost(host: string): boolean {
    return [...this.#followed.values()].some(({ table }) => table.hasHost(host));
  }

  /** Follows an environment from now on. */
  follow(environment: string): EnvironmentSource {
    return this.#follow(environment).source;
  }

  /** Nobody is waited for any more, and nothing is found. */
  stop(): void {
    this.#stopped = true;
    this.fail(stopped());
  }

  /** Tells all who wait that it is of no use. */
  fail(error: MdkError): void {
    for (const waiter of this.#waiters) waiter.settle(error);
  }

  /** @param isLast there is no time to wait for the table of the environment before its fallback is asked. */
  #find(asked: Asked, known: Known | null, isLast = false): Choice | null {
    const { service, version } = asked;
    const { name, fallbackName } = asked.environment;
    const { table, source } = this.#last?.name === name ? this.#last.followed : this.#follow(name);
    const choice = table.next(asked, known);
    if (choice !== null || fallbackName === null || table.hasSeen(service, version)) return choice;
    // Nothing is known of what was ever seen in a table that is still on its way.
    if (!isLast && source.missing() !== null) return null;
    return this.#follow(fallbackName).table.next(asked, known);
  }

  #retry(waiter: Waiter): void {
    try {
      const choice = this.#find(waiter.asked, waiter.known);
      if (choice !== null) return waiter.settle(choice);
      this.#retryLater(waiter);
    } catch (error) {
      waiter.settle(error as Error);
    }
  }

  /** Asks the breakers again when the first one lets a try through: of all who wait, one gets it. */
  #retryLater(waiter: Waiter): void {
    waiter.cancelRetry();
    const { asked } = waiter;
    const atMs = this.#answering(asked).table.retryMs(asked);
    if (atMs === null) return;
    const inMs = Math.max(1, atMs - this.#deps.clock.monotonicMs());
    waiter.cancelRetry = this.#deps.clock.setTimer(inMs, () => this.#retry(waiter));
  }

  /** The environment that answers for the service: its own, or the fallback while it has never had it. */
  #answering({ environment: { name, fallbackName }, service, version }: Asked): Followed {
    const own = this.#follow(name);
    return fallbackName === null || own.table.hasSeen(service, version) ? own : this.#follow(fallbackName);
  }

  #refusal(asked: Asked): MdkError {
    const { source, table } = this.#answering(asked);
    const nowMs = this.#deps.clock.monotonicMs();
    return source.missing() ?? table.refusal(asked, (atMs) => atMs - nowMs);
  }

  /** Names of environments come from outside: what does not exist must not keep out what does. */
  #releaseEmpty(): boolean {
    const others = [...this.#followed].slice(PINNED);
    const empty = others.find(([, { source }]) => [...source.table.serviceNames()].length === 0);
    if (empty === undefined) return false;
    const [environment] = empty;
    this.#followed.delete(environment);
    if (this.#last?.name === environment) this.#last = null;
    this.#deps.release(environment);
    return true;
  }

  #follow(environment: string): Followed {
    const known = this.#followed.get(environment);
    if (known !== undefined) {
      this.#last = { name: environment, followed: known };
      return known;
    }
    if (this.#followed.size > ENVIRONMENTS_MAX && !this.#releaseEmpty()) {
      const why = `${ENVIRONMENTS_MAX} others are followed, which is the bound`;
      throw new MdkError("limit_exceeded", `Cannot follow the environment ${JSON.stringify(environment)}: ${why}`);
    }
    const { clock, random, sourceOf } = this.#deps;
    const source = sourceOf(environment);
    const chance = { random, monotonicMs: () => clock.monotonicMs() };
    const followed = { source, table: new EnvironmentTable({ environment, ...this.#config }, source.table, chance) };
    this.#followed.set(environment, followed);
    followed.table.changed(source.table.serviceNames());
    return followed;
  }
}

/** The process's own environment and its fallback are followed first, and never released. */
const PINNED = 2;

function knownOf(options: ResolveOptions | undefined): Known | null {
  if (options === undefined || (options.request === undefined && options.key === undefined)) return null;
  return new KnownRequest(options.request, options.key ?? null);
}

const NO_TAGS: readonly string[] = [];
const tagsOf = (options: ResolveOptions | undefined): readonly string[] => options?.tags ?? NO_TAGS;

function stopped(): MdkError {
  return new MdkError("stopped", "Cannot resolve: the library is stopped");
}

/** What an abort is for, as an error. */
function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new MdkError("stopped", `Aborted: ${String(reason)}`);
}
