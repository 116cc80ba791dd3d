import { healthHandler, type HttpHandlers, metricsHandler, readyHandler } from "@datawire/http";
import {
  type Chance,
  type Clock,
  type Logger,
  type ProblemBoard,
  type Readiness,
  RecentProblems,
  systemChance,
} from "@datawire/runtime";
import { noTelemetry, type Telemetry } from "@datawire/telemetry";
import type { ServerCertificate } from "../access/certificates.ts";
import { type Certifier, createCertifier } from "../access/routers/certifier.ts";
import { type Access, type AccessConfig, openAccess } from "../access/open-access.ts";
import { routerTokens } from "../access/routers/router-tokens.ts";
import type { TokenService } from "../access/token-service.ts";
import { PeerTraces } from "../api/peer-traces.ts";
import { ConsoleFolder } from "../console/console-files.ts";
import { consoleHandler } from "../console/console-page.ts";
import type { LinkSessions } from "../link/sessions.ts";
import { failedAt } from "../problems/failed-at.ts";
import { remedyOfLink } from "../problems/link-remedies.ts";
import type { StateConfig } from "../registry/state.ts";
import type { Store } from "../store/contract.ts";
import type { DirectoryStores } from "../store/realm.ts";
import { ClientServers } from "./client-servers.ts";
import { createDispatcher, type Dispatcher } from "./dispatcher.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { TenantGroups } from "./tenant-groups.ts";
import { TenantOpener } from "./tenant-opener.ts";
import type { ChangeableConfig, Tenant } from "./tenant.ts";
import { Tenants } from "./tenants.ts";

/** What a directory is set to. */
export interface DirectoryConfig extends StateConfig, AccessConfig {
  /** The directory's own address, `//host/directory`. */
  readonly address: string;
  /** What the environment is called of all that knows no environments. */
  readonly environment: string;
  /** What an operator should know of the directory's own settings. */
  readonly warnings: readonly string[];
}

/** What a directory works with. */
export interface DirectoryDeps {
  /** Its own is not closed with the directory. */
  readonly stores: DirectoryStores;
  /** Counts time in which the directory attended to its clients: leases and delays go by it. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Traces and logs; default: none are kept. It is not closed with the directory. */
  readonly telemetry?: Telemetry;
  /** Default: the system's. */
  readonly chance?: Chance;
  /** Where the files of the console may be; default: nowhere. */
  readonly consoleFolders?: readonly string[];
  /** Default: those of a process. */
  readonly metrics?: Metrics;
  /** What is wrong with the directory as a whole. */
  readonly board: ProblemBoard;
  readonly readiness: Pick<Readiness, "missing">;
  /** Makes the server show a certificate. */
  readonly show: (certificate: ServerCertificate) => void;
}

/** A directory that has loaded its store and can serve. */
export interface Directory {
  readonly handlers: HttpHandlers;
  /** For links that come over no port: what lets one in, and where it is opened. */
  readonly links: { readonly admit: Dispatcher["admitLink"]; readonly sessions: LinkSessions };
  readonly tokens: TokenService;
  /** Those who share a table; of those who have no tenant for null. */
  tenant(name: string | null): Promise<Tenant>;
  /** Takes the settings that may change while it runs, and looks for another certificate. */
  configure(settings: ChangeableConfig): void;
  /** Does what is due until the signal aborts, then saves what is not saved yet, and takes leave of the clients. */
  run(signal: AbortSignal): Promise<void>;
  /** Closes what it has opened; must be called last, whether or not it has run. */
  close(): Promise<void>;
}

/** Puts a directory together from its parts, each from those before it, and loads what the store holds. */
export async function assembleDirectory(config: DirectoryConfig, deps: DirectoryDeps): Promise<Directory> {
  const { stores, clock, log, board, readiness, show } = deps;
  const { telemetry = noTelemetry, chance = systemChance, metrics = createMetrics() } = deps;
  const { environment, leaseMs } = config;
  const ended = new AbortController();
  const recent = recentProblems({ board, clock, signal: ended.signal });
  const originalsFailed = (subject: string, error: unknown): void => {
    log.error("Original MDK clients failed", { subject, error });
    recent.failures.note(failedAt(subject, error));
  };
  const clients = new ClientServers(config, { clock, log, counts: metrics.originals, originalsFailed });
  const { sessions, links, originals } = clients;
  // What goes on by itself from here on would keep a directory that cannot start from ending.
  const endClients = async (): Promise<void> => {
    await clients.close();
    ended.abort();
  };
  const tokensChanged = (): void => clients.review();
  const access = await openAccess(config, { stores, clock, log, board, show, tokensChanged }).catch(async (error) => {
    await endClients();
    throw error;
  });
  const authority = async () => (config.protection.tls === "own" ? access.tokens.authority() : null);
  letRoutersIn(sessions, { access, certifier: createCertifier({ clock, authority, own: config.names }) });
  const groups = new TenantGroups({ environment, leaseMs, clock, telemetry, failed: originalsFailed });
  const peerTraces = new PeerTraces({ clock, ca: async () => (await authority())?.certificate ?? null });
  const opener = new TenantOpener(config, {
    access,
    groups,
    telemetry,
    peerTraces,
    whole: stores.own,
    clock,
    log,
    chance,
    metrics,
    board,
  });
  const tenants = new Tenants(
    (realm, all) => opener.open(realm, all),
    (name, error, isNews) => {
      if (isNews) log.error("Cannot open a tenant", { tenant: name, error });
      recent.failures.note(failedAt(name, error)); // `tenant acme`
    },
    {
      usual: environment,
      stored: (tenant) => access.environments(tenant),
      opened: (realm, made) => groups.of(realm.tenant).opened(realm.environment, made),
    },
  );
  try {
    peerTraces.begin((await tenants.of(null)).peers);
  } catch (error) {
    await endClients();
    await access.close();
    throw error;
  }
  metrics.observe(() => tenants.list());
  metrics.observeLosses(() => telemetry.lost(null));
  const { admitLink, ...dispatcher } = createDispatcher({
    gate: access.gate,
    tenants,
    groups,
    nothing: (tenant) => opener.nothing(tenant),
    links,
    originals,
    open: [
      healthHandler,
      readyHandler(readiness, () => limitOf(stores.own)),
      consoleHandler(config.console === null ? null : new ConsoleFolder(deps.consoleFolders ?? [])),
    ],
    metrics: metricsHandler(metrics.registry),
    log,
    refused: metrics.refused,
    recent,
  });
  const serve = async (signal: AbortSignal): Promise<void> => {
    await tenants.run(signal);
    await tenants.leave();
    await clients.close();
    groups.close();
    await tenants.close();
    ended.abort();
  };
  return {
    handlers: { ...dispatcher, ...refusedConnections({ metrics, log, recent }) },
    links: { admit: admitLink, sessions },
    tokens: access.tokens,
    tenant: (name) => tenants.of(name),
    configure(settings) {
      void access.certificates?.look();
      tenants.configure(settings);
    },
    async run(signal) {
      await Promise.all([serve(signal), access.certificates?.run(signal)]);
    },
    close: () => access.close(),
  };
}

/** What was over as soon as it happened and is of no tenant, as `dw status` shows it for a while. */
interface Recent {
  /** Of links and requests that were not let in, by where they came from. */
  readonly links: RecentProblems;
  readonly failures: RecentProblems;
}

function recentProblems(deps: ConstructorParameters<typeof RecentProblems>[1]): Recent {
  return {
    // Who is refused asks again within half a minute.
    links: new RecentProblems("links", deps, { keptMs: 120_000 }),
    failures: new RecentProblems("failures", deps),
  };
}

interface RouterAdmission {
  readonly access: Access;
  readonly certifier: Certifier;
}

/** Tells routers whose tokens hold, and gives them certificates. */
function letRoutersIn(sessions: LinkSessions, { access, certifier }: RouterAdmission): void {
  sessions.tellAccess(({ tokenId, tenant }) => ({
    asks: tokenId !== null,
    tokens: tokenId === null ? [] : routerTokens(access.tokens.tokens.list(tenant)),
  }));
  sessions.certifyWith(certifier);
}

interface RefusedDeps {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly recent: Pick<Recent, "failures">;
}

/** Counts and tells of connections that come no further than the port. */
function refusedConnections({
  metrics,
  log,
  recent,
}: RefusedDeps): Pick<HttpHandlers, "foreign" | "failed" | "tooManyConnections"> {
  return {
    foreign: metrics.foreign,
    failed(error) {
      log.error("Connection failed, cutting it", { error });
      recent.failures.note(failedAt("connection", error));
    },
    tooManyConnections(reason) {
      metrics.crowded();
      if (reason === null) return;
      log.warn("Connections refused", { reason });
      recent.failures.note({
        subject: "connections",
        message: `refused: ${reason}`,
        remedy: remedyOfLink("limit_exceeded"),
      });
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
