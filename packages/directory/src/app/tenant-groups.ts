import type { Clock } from "@datawire/runtime";
import type { Telemetry } from "@datawire/telemetry";
import type { LinkEnvironments } from "../link/session/placement.ts";
import type { SessionRegistry } from "../link/clients/session-registry.ts";
import { Originals } from "../mdk/originals.ts";
import { RecentlyEnded } from "../mdk/recently-ended.ts";
import { Relay } from "../mdk/relay.ts";
import { type World, worldOf } from "../mdk/world.ts";
import { Logs } from "../traces/logs.ts";
import type { Tenant } from "./tenant.ts";
import type { Tenants } from "./tenants.ts";

interface GroupDeps {
  /** What the environment is called of all that knows no environments. */
  readonly environment: string;
  readonly leaseMs: number;
  /** Counts time in which the directory attended to its clients. */
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "append">;
  /** Told what the directory failed at for clients of the original MDK. */
  readonly failed: (subject: string, error: unknown) => void;
}

/** How often it is looked for environments that another directory on the same store has made. */
const LOOK_MS = 5_000;

/** What all environments of a tenant share. */
export class TenantGroup {
  /** What its sessions log. */
  readonly logs: Logs;
  readonly #tenant: string | null;
  readonly #deps: GroupDeps;
  /** Links that wait for an environment, by its name. */
  readonly #waiting = new Map<string, Set<(sessions: SessionRegistry) => void>>();
  /** The tables that are open, by their environments. */
  readonly #worlds = new Map<string, World>();
  readonly #ended = new Map<string, RecentlyEnded>();
  #relay: Relay | null = null;
  #originals: Originals | null = null;
  #starting: Promise<Originals> | null = null;
  #cancelLook: (() => void) | null = null;
  #closed = false;

  constructor(tenant: string | null, deps: GroupDeps) {
    this.#tenant = tenant;
    this.#deps = deps;
    const { telemetry, clock } = deps;
    this.logs = new Logs({ keep: (events) => telemetry.append(tenant, events), clock });
  }

  /** The clients of the original MDK that belong to this tenant; null before the first one has come. */
  get originals(): Originals | null {
    return this.#originals;
  }

  /** As above, with the tables of all its environments: an original is told of all. */
  startOriginals(tenants: Tenants): Promise<Originals> {
    this.#starting ??= this.#start(tenants);
    // What could not be opened now may be asked for again.
    this.#starting.catch(() => (this.#starting = null));
    return this.#starting;
  }

  /** The table of an environment was opened. */
  opened(environment: string | null, tenant: Tenant): void {
    const world = this.#worldOf(environment, tenant);
    this.#worlds.set(world.environment, world);
    this.#ended.set(world.environment, new RecentlyEnded(world, this.#deps.clock));
    this.#follow(world);
    const name = world.environment;
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const moved of waiting) moved(tenant.links);
  }

  /** The environments of the tenant, as links need them. */
  linkEnvironments(tenants: Tenants, nothing: () => Promise<Tenant>): LinkEnvironments {
    return {
      find: async (name) => (await tenants.existing(this.#tenant, name))?.links ?? null,
      nothing: async () => (await nothing()).links,
      make: async (name) => (await tenants.of(this.#tenant, name)).links,
      whenOpened: (name, opened) => {
        this.#lookLater(tenants);
        const waiting = this.#waiting.get(name) ?? new Set();
        this.#waiting.set(name, waiting);
        waiting.add(opened);
        return () => {
          waiting.delete(opened);
          if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
        };
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
    this.#relay?.close();
    for (const ended of this.#ended.values()) ended.end();
  }

  async #start(tenants: Tenants): Promise<Originals> {
    const { environment: usual } = this.#deps;
    const relay = (this.#relay ??= this.#createRelay(usual, tenants));
    // What has ended in those that are open is not lost on who comes first.
    for (const world of this.#worlds.values()) this.#follow(world);
    await relay.open(usual);
    for (const environment of await tenants.environments(this.#tenant)) {
      // One that cannot be opened costs those alone who are in it: it is told of where it was tried.
      await relay.open(environment).catch(() => {});
    }
    this.#originals = new Originals({ relay, logs: this.logs });
    this.#lookLater(tenants);
    return this.#originals;
  }

  /** Another directory on the same store may have made an environment that somebody here waits for. */
  #lookLater(tenants: Tenants): void {
    if (this.#closed) return;
    this.#cancelLook ??= this.#deps.clock.setTimer(LOOK_MS, () => {
      this.#cancelLook = null;
      const isNeeded = (): boolean => this.#relay !== null || this.#waiting.size > 0;
      if (!isNeeded()) return;
      // What cannot be opened or listed now is tried again, and told of where it is asked for.
      this.#openOthers(tenants)
        .catch(() => {})
        .finally(() => isNeeded() && this.#lookLater(tenants));
    });
  }

  async #openOthers(tenants: Tenants): Promise<void> {
    for (const name of await tenants.environments(this.#tenant)) {
      if (this.#closed) return;
      if (this.#relay !== null || this.#waiting.has(name)) await tenants.of(this.#tenant, name).catch(() => {});
    }
  }

  #follow(world: World): void {
    this.#relay?.follow(world, () => this.#ended.get(world.environment)?.list() ?? []);
  }

  #createRelay(usual: string, tenants: Tenants): Relay {
    const { clock } = this.#deps;
    return new Relay({
      clock,
      environment: usual,
      failed: this.#deps.failed,
      open: async (environment) => {
        const tenant = await tenants.of(this.#tenant, environment);
        return this.#worlds.get(environment) ?? this.#worldOf(environment === usual ? null : environment, tenant);
      },
    });
  }

  #worldOf(environment: string | null, { state, publisher, registered }: Tenant): World {
    const { clock, leaseMs, environment: usual } = this.#deps;
    return worldOf(environment ?? usual, { state, publisher, registered, clock, leaseMs });
  }
}

/** What the environments of each tenant share. */
export class TenantGroups {
  readonly #deps: GroupDeps;
  readonly #groups = new Map<string | null, TenantGroup>();

  constructor(deps: GroupDeps) {
    this.#deps = deps;
  }

  of(tenant: string | null): TenantGroup {
    const known = this.#groups.get(tenant);
    if (known !== undefined) return known;
    const made = new TenantGroup(tenant, this.#deps);
    this.#groups.set(tenant, made);
    return made;
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}
