import {
  endWithRefusal,
  healthHandler,
  type HttpHandlers,
  metricsHandler,
  pathOf,
  readyHandler,
  send,
} from "@datawire/http";
import { type Clock, type Logger, type ProblemBoard, type Readiness, RecentProblems } from "@datawire/runtime";
import { remedyOfLink } from "../problems/link-remedies.ts";
import { failedAt } from "../problems/failed-at.ts";
import type { DirectoryAccess } from "../access/open-access.ts";
import type { StateConfig } from "../registry/state.ts";
import { createDispatcher } from "./dispatcher.ts";
import { LinkServer } from "../link/server.ts";
import { MdkServer } from "../mdk/server.ts";
import type { Realm } from "../store/realm.ts";
import { createMetrics } from "./metrics.ts";
import type { Store } from "../store/contract.ts";
import { createNothingStore } from "../store/nothing.ts";
import { type ChangeableConfig, openTenant, type Tenant } from "./tenant.ts";
import { TenantGroups } from "./tenant-groups.ts";
import { Tenants } from "./tenants.ts";

export interface DirectoryConfig extends StateConfig {
  /** The directory's own address, `//host/directory`. */
  readonly address: string;
  /** What the environment is called of all that knows no environments. */
  readonly environment: string;
  /** What an operator should know of the directory's own settings. */
  readonly warnings: readonly string[];
}

export interface DirectoryDeps {
  /** The whole, for backups. */
  readonly store: Store;
  /** Counts time in which the directory attended to its clients: leases and delays go by it. */
  readonly clock: Clock;
  readonly log: Logger;
  /** What is wrong with the directory as a whole. */
  readonly problems: ProblemBoard;
  readonly readiness: Pick<Readiness, "missing">;
  readonly access: DirectoryAccess;
}

/** A directory that has loaded its store and can serve. */
export interface Directory {
  readonly handlers: HttpHandlers;
  /** Takes the settings that may change while it runs. */
  configure(settings: ChangeableConfig): void;
  /** Does what is due until the signal aborts, then takes leave of the clients and saves what is not saved yet. */
  run(signal: AbortSignal): Promise<void>;
}

/** A client hears something three times a lease. */
const HEARTBEATS_A_LEASE = 3;

/** Puts a directory together from its parts and loads what the store holds. */
export async function assembleDirectory(config: DirectoryConfig, deps: DirectoryDeps): Promise<Directory> {
  const { store, clock, log, problems, readiness, access } = deps;
  const { address, warnings, leaseMs } = config;
  const metrics = createMetrics();
  const startedMs = clock.nowMs();
  const ended = new AbortController();
  const recently = { board: problems, clock, signal: ended.signal };
  const recent = {
    // Who is refused asks again within half a minute.
    links: new RecentProblems("links", recently, { keptMs: 120_000 }),
    failures: new RecentProblems("failures", recently),
  };
  const open = async (realm: Realm): Promise<Tenant> => {
    const { tenant: name, environment } = realm;
    const isWhole = name === null && environment === null;
    const own = await access.storeOf(realm);
    const surroundings = {
      store: isWhole ? store : own,
      tokens: access.tokens,
      address,
      startedMs,
      // They say where it listens and who is let in, which is nothing of a tenant's.
      warnings: isWhole ? warnings : [],
      problems: () => (isWhole ? problems.list() : []),
      tenants: isWhole ? { list: () => access.tenants(), of: (tenant: string) => tenants.of(tenant) } : null,
      logs: groups.of(name).logs,
      originals: environment === null ? () => groups.of(name).originals : () => null,
    };
    const tenantLog = isWhole
      ? log
      : log.child({ ...(name !== null && { tenant: name }), ...(environment !== null && { environment }) });
    try {
      return await openTenant(config, { store: own, clock, log: tenantLog, metrics, surroundings });
    } catch (error) {
      // It may be asked for again, and a store is open once.
      if (!isWhole) await own.close();
      throw error;
    }
  };
  const groups = new TenantGroups({ environment: config.environment, leaseMs, clock });
  const unknown = new Map<string | null, Promise<Tenant>>();
  const nothing = (name: string | null): Promise<Tenant> => {
    const surroundings = {
      store: createNothingStore(),
      tokens: access.tokens,
      address,
      startedMs,
      warnings: [],
      problems: () => [],
      tenants: null,
      logs: groups.of(name).logs,
      originals: () => null,
    };
    const known =
      unknown.get(name) ?? openTenant(config, { store: surroundings.store, clock, log, metrics, surroundings });
    unknown.set(name, known);
    return known;
  };
  const tenants: Tenants = new Tenants(
    open,
    (name, error, isNews) => {
      if (isNews) log.error("Cannot open a tenant", { tenant: name, error });
      recent.failures.note(failedAt(name, error)); // `tenant acme`
    },
    {
      usual: config.environment,
      stored: (tenant) => access.environments(tenant),
      opened: ({ tenant, environment }, made) => groups.of(tenant).opened(environment, made),
    },
  );
  groups.begin(tenants);
  await tenants.of(null);
  metrics.observe(() => tenants.list());

  const heartbeatMs = Math.max(1, Math.round(leaseMs / HEARTBEATS_A_LEASE));
  const links = new LinkServer({ heartbeatMs, leaseMs, directory: address }, { clock, log });
  const originals = new MdkServer({
    clock,
    log,
    counts: metrics.originals,
    failed: (subject, error) => recent.failures.note(failedAt(subject, error)),
  });
  access.tokens.onChange(() => {
    links.review();
    originals.review();
  });
  const door = createDispatcher({
    gate: access.gate,
    tenants,
    groups,
    nothing,
    links,
    originals,
    open: [healthHandler, readyHandler(readiness, () => limitOf(store))],
    metrics: metricsHandler(metrics.registry),
    log,
    refused: metrics.refused,
    recent,
  });
  return {
    handlers: {
      ...door,
      foreign: metrics.foreign,
      failed(error) {
        log.error("Connection failed, cutting it", { error });
        recent.failures.note(failedAt("connection", error));
      },
      crowded(reason) {
        metrics.crowded();
        if (reason === null) return;
        log.warn("Connections refused", { reason });
        recent.failures.note({
          subject: "connections",
          message: `refused: ${reason}`,
          remedy: remedyOfLink("limit_exceeded"),
        });
      },
    },
    configure: (settings) => tenants.configure(settings),
    async run(signal) {
      await tenants.run(signal);
      await tenants.leave();
      await Promise.all([links.close(), originals.close()]);
      groups.close();
      await tenants.close();
      ended.abort();
    },
  };
}

/**
 * It goes on telling what it knows, so that nobody must be sent elsewhere for a store that cannot be written. Why that
 * is so names machines and paths, which `/v1/status` tells only to those who may read.
 */
function limitOf({ kind, outage }: Store): string | null {
  return outage === null ? null : `read-only: its ${kind} store takes nothing`;
}

/** What answers while the store is being loaded. */
export const startingHandlers: HttpHandlers = {
  request(req, res) {
    if (pathOf(req) === "/healthz") return send(res, 200, "ok");
    send(res, 503, "the directory is starting", { "retry-after": "1" });
  },
  upgrade: (_req, socket) =>
    endWithRefusal(socket, { code: "unavailable", message: "Cannot open the link: the directory is starting" }),
  foreign: () => {},
  failed: () => {},
  crowded: () => {},
};
