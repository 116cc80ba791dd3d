import { join } from "node:path";
import { type CatalogFollower, type CatalogUpdate, openCatalogFollower } from "@datawire/link";
import { type Clock, type Logger, makePrivateFolder, type ProblemBoard } from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import type { BackendNames } from "../haproxy/backend-names.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { Locality } from "../inputs/locality.ts";
import { MisspeltServices } from "../inputs/misspelt-services.ts";
import { Resolver } from "../inputs/resolver.ts";
import { SESSION_KEYS_FILE, SessionKeys } from "../inputs/session-keys.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import type { Sampling } from "../report/sampling.ts";
import { prepareProxy, type Proxy } from "../setup/proxy.ts";
import { tellWeaknesses } from "../setup/weaknesses.ts";
import { assembleDriving, type Driving } from "./driving.ts";
import { Relay } from "./relay.ts";
import { assembleReporting, type Reporting } from "./reporting.ts";
import { type Attempt, createAttempt, takeNews } from "./take-news.ts";

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
export interface SherlockParts extends Driving, Reporting {
  readonly proxy: Proxy;
  readonly follower: CatalogFollower;
  readonly locality: Locality;
  readonly resolver: Resolver;
  readonly sessionKeys: SessionKeys;
  /** Called each time the directory has told something, once HAProxy is asked to follow it. */
  readonly heard: Relay<void>;
  /** Has HAProxy follow what is known now of these services; of all for null. */
  follow(services: ReadonlySet<string> | null): void;
  readonly attempt: Attempt;
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
  const attempt = createAttempt({ log, board });
  const reporting = assembleReporting({
    ...driving,
    settings,
    proxy,
    follower,
    names,
    sampling,
    clock,
    log,
    board,
    onUnreachable: (host) => attempt(resolver.lookAgain(host)),
  });
  const { reporter } = reporting;
  const follow = (services: ReadonlySet<string> | null): void => {
    planning.forget(services);
    driver.request(services ?? follower.table.serviceNames());
  };
  const misspelt = new MisspeltServices(settings, board);
  const heard = new Relay<void>();
  resolver.onChange(() => follow(null));
  reporter.onWelcome(({ sessionKey }) => {
    if (sessionKeys.take(sessionKey)) follow(null);
  });
  const followNews = (update: CatalogUpdate): void => {
    reporter.noteChange(update);
    follow(update.services);
    misspelt.look(follower.table);
    heard.send();
  };
  updates.to((update) => attempt(takeNews(update, { follower, planning, resolver, board, follow: followNews })));
  const parts = { proxy, follower, locality, resolver, sessionKeys, heard };
  return { ...driving, ...reporting, ...parts, follow, attempt };
}
