import { join } from "node:path";
import { type CatalogFollower, type CatalogUpdate, openCatalogFollower } from "@datawire/link";
import { type Clock, describeError, type Logger, makePrivateFolder, type ProblemBoard } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { Locality } from "../inputs/locality.ts";
import { MisspeltServices } from "../inputs/misspelt-services.ts";
import { Resolver } from "../inputs/resolver.ts";
import { SESSION_KEYS_FILE, SessionKeys } from "../inputs/session-keys.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import { createMetrics, type Metrics } from "../report/metrics.ts";
import { ProxyFindings } from "../report/proxy-findings.ts";
import { Reporter } from "../report/reporter.ts";
import type { Sampling } from "../report/sampling.ts";
import { prepareProxy, type Proxy } from "../setup/proxy.ts";
import { findTlsFailure } from "../setup/tls-failure.ts";
import { tellWeaknesses } from "../setup/weaknesses.ts";
import { assembleDriving, type Driving } from "./driving.ts";
import { Relay } from "./relay.ts";

/** One set of settings, and the run folder that they name. */
export interface SherlockConfig {
  readonly settings: SherlockSettings;
  readonly dir: RunDir;
}

/** What a Sherlock is made with. */
export interface SherlockDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** Counts time in which this process attended to what came: HAProxy's silence is judged by it. */
  readonly attentive: Clock;
  /** What an operator should see of this program. */
  readonly board: ProblemBoard;
  /** Null when percentiles are off. */
  readonly sampling: Sampling | null;
  /** What HAProxy calls the backends that stand in spare ones. */
  readonly names: BackendNames;
}

/** The parts of a Sherlock, of which none does anything yet. */
export interface SherlockParts extends Driving {
  readonly proxy: Proxy;
  readonly follower: CatalogFollower;
  readonly locality: Locality;
  readonly resolver: Resolver;
  readonly sessionKeys: SessionKeys;
  readonly metrics: Metrics;
  readonly findings: ProxyFindings;
  readonly reporter: Reporter;
  /** Called each time the directory has told something, once HAProxy is asked to follow it. */
  readonly heard: Relay<void>;
  /** Has HAProxy follow what is known now of these services; of all for null. */
  follow(services: ReadonlySet<string> | null): void;
  /** Does something for news of the directory: what goes wrong with it ends nothing, and is told. */
  attempt(work: Promise<void>): void;
}

const REFRESH_NAMES_MS = 30_000;
/** Changes within a moment are one reload; a steady stream of them is about three a second at most. */
const COALESCE = { quietMs: 25, waitMsMax: 1_000, gapMs: 300 };
/** What stands in a spare backend is served as any other is, so that new ones are made when nothing else happens. */
const REFILL = { quietMs: 1_000, waitMsMax: 30_000, gapMs: 10_000 };

/** Puts a Sherlock together, from below: each part is made of those before it. @throws Error for what keeps it from starting. */
export async function assembleSherlock({ settings, dir }: SherlockConfig, deps: SherlockDeps): Promise<SherlockParts> {
  const { log, clock, board, sampling, names } = deps;
  const proxy = await prepareProxy(settings, dir);
  await makePrivateFolder(settings.dataDir);
  const updates = new Relay<CatalogUpdate>();
  const follower = await openCatalogFollower(
    { services: null, path: join(settings.dataDir, "table.json") },
    { clock, log, board, onUpdate: updates.send },
  );
  const locality = new Locality(settings);
  const resolver = new Resolver(
    { path: join(settings.dataDir, "addresses.json"), refreshMs: REFRESH_NAMES_MS },
    { clock, log, board, hosts: () => hostsOf(follower.table, null), refusal: locality.refusal },
  );
  const keysPath = join(settings.dataDir, SESSION_KEYS_FILE);
  const sessionKeys = new SessionKeys(keysPath, { log, board });
  await sessionKeys.load(keysPath);
  const driving = assembleDriving(
    { settings, dir, proxy, coalesce: COALESCE, refill: REFILL },
    { ...deps, follower, resolve: resolver.resolve, sessionIds: sessionKeys },
  );
  const { planning, haproxy, driver, rendered } = driving;
  const { runtimeSocket } = haproxy;
  tellWeaknesses(
    {
      proxy,
      rendered,
      runtimeSocket,
      percentiles: sampling !== null,
      spans: settings.spans !== null,
      explain: settings.explain,
    },
    { log, board },
  );
  const metrics = createMetrics({
    revision: () => planning.position?.revision ?? 0,
    tableAgeMs: () => follower.status().ageMs ?? 0,
    tableDivergences: () => follower.status().divergences,
    oldWorkers: () => haproxy.oldWorkers.count(),
    services: () => follower.table.size.services,
    isPresent: (service, instance) => follower.table.instance(`${service}@${instance}`) !== null,
  });

  const attempt = (work: Promise<void>): void => {
    work.catch((error: unknown) => {
      log.error("News of the directory cannot be followed", { error });
      board.set("news", [
        {
          subject: "directory",
          message: `its last news cannot be followed: ${describeError(error)}`,
          severity: "error",
          remedy: "if the directory is of another version than this Sherlock, bring both to the same one",
        },
      ]);
    });
  };
  const follow = (services: ReadonlySet<string> | null): void => {
    planning.forget(services);
    driver.request(services ?? follower.table.serviceNames());
  };
  const findings = new ProxyFindings({
    clock,
    log,
    runtime: haproxy.runtime,
    planning,
    names,
    board,
    onUnreachable: (host) => attempt(resolver.lookAgain(host)),
    findTlsFailure: (target) => findTlsFailure(target, proxy.settings.caFile),
  });
  const reporter = new Reporter({
    settings,
    clock,
    log,
    metrics,
    planning,
    runtime: haproxy.runtime,
    sampling,
    names,
    board,
    findings,
  });
  const misspelt = new MisspeltServices(settings, board);
  const heard = new Relay<void>();
  resolver.onChange(() => follow(null));
  reporter.onWelcome(({ sessionKey }) => {
    if (sessionKeys.take(sessionKey)) follow(null);
  });
  updates.to((update) => {
    const forgotten = planning.announce();
    const take = async (): Promise<void> => {
      try {
        await resolver.prepare(hostsOf(follower.table, update.services));
      } finally {
        forgotten();
      }
      reporter.noteChange(update);
      follow(update.services);
      misspelt.look(follower.table);
      heard.send();
      board.set("news", []);
    };
    attempt(take());
  });
  const parts = { proxy, follower, locality, resolver, sessionKeys, metrics, findings, reporter, heard };
  return { ...driving, ...parts, follow, attempt };
}
