import { join } from "node:path";
import { type LinkState, openCatalogFollower, runLink, type CatalogUpdate } from "@datawire/link";
import { startAdmin } from "@datawire/http";
import {
  aborted,
  type Clock,
  describeError,
  ExitError,
  exitCodes,
  type ListenAddress,
  type Logger,
  makePrivateFolder,
  ProblemBoard,
  RecentProblems,
  type Readiness,
  type ReadinessPart,
} from "@datawire/runtime";
import { createConfigFiles } from "../haproxy/config-files.ts";
import { Configurator } from "../driver/configurator.ts";
import { Driver } from "../driver/driver.ts";
import { HaproxyProcess } from "../haproxy/haproxy-process.ts";
import { openAccessLog } from "../report/access-log.ts";
import { keepTrimmed } from "../haproxy/output-files.ts";
import { startPages } from "../report/pages-server.ts";
import { createLoadedFile } from "../haproxy/read-running.ts";
import { Resolver } from "../inputs/resolver.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { SESSION_KEYS_FILE, SessionKeys } from "../inputs/session-keys.ts";
import { statsHandler } from "../report/stats-handler.ts";
import { Locality } from "../inputs/locality.ts";
import { findTlsFailure } from "../setup/tls-failure.ts";
import { createMetrics } from "../report/metrics.ts";
import { listPage } from "../report/page-source.ts";
import { MisspeltServices } from "../inputs/misspelt-services.ts";
import { Planning } from "../inputs/planning.ts";
import { abilitiesOf, prepareProxy, requirePorts } from "../setup/proxy.ts";
import { Reporter } from "../report/reporter.ts";
import { ProxyFindings } from "../report/proxy-findings.ts";
import { openSampling, type Sampling } from "../report/sampling.ts";
import type { SherlockSettings } from "../config/settings.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import { tellWeaknesses } from "../setup/weaknesses.ts";

/** What serving begins with. */
export interface ServeConfig {
  readonly settings: SherlockSettings;
  readonly dir: RunDir;
}

/** What serving works with. */
export interface ServeDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** Counts time in which this process attended to what came: HAProxy's silence is judged by it. */
  readonly attentive: Clock;
  /** What an operator should see of this program. */
  readonly board: ProblemBoard;
  readonly readiness: Pick<Readiness, "missing">;
  readonly haproxyUp: ReadinessPart;
  readonly tableApplied: ReadinessPart;
  /** Asked at the end: whether HAProxy stays for the next to adopt. */
  keepsProxy(): boolean;
  /** Called when there is nothing to serve and no directory that would have this program; `serve` then throws. */
  onDenied(): void;
  /** Called each time something comes up. */
  onServing(where: { readonly listen: readonly ListenAddress[]; readonly admin: ListenAddress | null }): void;
}

const REFRESH_NAMES_MS = 30_000;
/** An adopted HAProxy is left as it is for so long, unless the directory speaks or it ends. */
const HOLD_MS = 3_000;
/** Changes within a moment are one reload; a steady stream of them is about three a second at most. */
const COALESCE = { quietMs: 25, waitMsMax: 1_000, gapMs: 300 };

const DEATH = "what it said last is in `haproxy.err` in the run folder; was there memory, and who sent the signal?";

/** Follows and drives with one set of settings, until the signal aborts. @throws Error for what keeps it from starting. */
export async function serve({ settings, dir }: ServeConfig, deps: ServeDeps, signal: AbortSignal): Promise<void> {
  const board = new ProblemBoard();
  const leaveBoard = board.include("program", deps.board);
  const sampling = await openSampling(settings.percentiles, { dir, log: deps.log, board });
  const possible = sampling === null ? { ...settings, percentiles: null } : settings;
  const accessLog = settings.accessLog ? await openAccessLog({ dir, log: deps.log, board }) : null;
  const ended = new AbortController();
  // Until HAProxy has ended, which logs while it drains.
  const writing = accessLog?.run(deps.clock, ended.signal);
  try {
    await drive({ settings: possible, dir }, { ...deps, board, sampling }, signal);
  } finally {
    ended.abort();
    await writing;
    leaveBoard();
    sampling?.close();
  }
}

async function drive(
  { settings, dir }: ServeConfig,
  { sampling, ...deps }: ServeDeps & { readonly sampling: Sampling | null },
  signal: AbortSignal,
): Promise<void> {
  const { log, clock, board } = deps;
  const proxy = await prepareProxy(settings, dir);
  await makePrivateFolder(settings.dataDir);
  const follower = await openCatalogFollower(
    { services: null, path: join(settings.dataDir, "table.json") },
    { clock, log, board, onUpdate: (update) => alone(updated(update)) },
  );
  const misspelt = new MisspeltServices(settings, board);
  const locality = new Locality(settings);
  const resolver = new Resolver(
    { path: join(settings.dataDir, "addresses.json"), refreshMs: REFRESH_NAMES_MS },
    {
      clock,
      log,
      board,
      hosts: () => hostsOf(follower.table, null),
      onChange: () => changed(null),
      refusal: locality.refusal,
    },
  );
  const keysPath = join(settings.dataDir, SESSION_KEYS_FILE);
  const sessionKeys = new SessionKeys(keysPath, { log, board });
  await sessionKeys.load(keysPath);
  const planning = new Planning(settings, { proxy, follower, resolve: resolver.resolve, sessionIds: sessionKeys });
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files });
  const rendered = configurator.render(planning.empty(), "check");
  const abilities = abilitiesOf(proxy, rendered);
  const runtimeSocket = abilities.runtimeCommands;
  tellWeaknesses({ proxy, rendered, runtimeSocket, percentiles: sampling !== null }, { log, board });
  const recent = new RecentProblems("recent", { board, clock, signal });
  const haproxy = new HaproxyProcess(
    { command: proxy.binary.path, dir, runtimeSocket },
    {
      clock: deps.attentive,
      log,
      onDeath(reason) {
        log.error("HAProxy ended, starting it again", { reason });
        recent.note({
          subject: "HAProxy",
          message: `ended, and was started again: ${reason}`,
          severity: "error",
          remedy: DEATH,
        });
        metrics.died();
        hold.resolve();
        driver.lost();
      },
    },
  );
  const metrics = createMetrics({
    revision: () => planning.position?.revision ?? 0,
    tableAgeMs: () => follower.status().ageMs ?? 0,
    tableDivergences: () => follower.status().divergences,
    oldWorkers: () => haproxy.oldWorkers(),
    services: () => follower.table.size.services,
    isPresent: (service, instance) => follower.table.instance(`${service}@${instance}`) !== null,
  });
  const findings = new ProxyFindings({
    clock,
    log,
    runtime: haproxy.runtime,
    planning,
    board,
    onUnreachable: (host) => alone(resolver.lookAgain(host)),
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
    board,
    findings,
    onWelcome({ sessionKey }) {
      if (sessionKeys.take(sessionKey)) changed(null);
    },
    onApplied() {
      deps.tableApplied.ready();
      if (serving) deps.onServing({ listen: proxy.listen, admin: admin?.address ?? null });
      serving = false;
    },
  });
  const driver = new Driver(
    {
      dir,
      settings: proxy.settings,
      shared: proxy.shared,
      dynamicServers: proxy.binary.version.features.dynamicServers,
      ...abilities,
      coalesce: COALESCE,
    },
    {
      clock,
      log,
      process: haproxy,
      configurator,
      files,
      loaded: createLoadedFile(dir.loaded),
      planning,
      observer: reporter,
    },
  );
  function changed(services: ReadonlySet<string> | null): void {
    planning.forget(services);
    driver.request(services ?? follower.table.serviceNames());
  }
  async function updated(update: CatalogUpdate): Promise<void> {
    await resolver.prepare(hostsOf(follower.table, update.services));
    reporter.noteChange(update);
    changed(update.services);
    misspelt.look(follower.table);
    hold.resolve();
    board.set("news", []);
  }
  /** What goes wrong with news of the directory ends nothing: HAProxy goes on with what it has. */
  function alone(work: Promise<void>): void {
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
  }
  /** The name of a directory that has just been reached resolves, which it may not have done at the start. */
  async function locate(): Promise<void> {
    if (!(await locality.look())) return;
    await resolver.review();
    changed(null);
  }
  const hold = Promise.withResolvers<void>();
  let adopted = false;
  let denial: string | null = null;
  /** A Sherlock that no directory has ever told anything has nothing to serve; whoever started it wants to know. */
  function linkChanged(state: LinkState): void {
    if (state.state === "connected") alone(locate());
    if (state.state !== "waiting" || !state.denied || adopted || follower.status().origin !== "none") return;
    denial = state.reason;
    deps.onDenied();
  }

  let admin: Awaited<ReturnType<typeof startAdmin>> | null = null;
  /** Until HAProxy has followed the first table. */
  let serving = true;
  const parts = new AbortController();
  try {
    await Promise.all([locality.look(), resolver.load()]);
    await resolver.prepare(hostsOf(follower.table, null));
    adopted = await driver.adopt();
    await (adopted ? reporter.skipCounted() : requirePorts(proxy));
    if (settings.admin !== null) {
      const handlers = [statsHandler(dir.sockets.stats)];
      admin = await startAdmin(
        { listen: settings.admin, setting: "--admin" },
        { readiness: deps.readiness, registry: metrics.registry, log, handlers },
        parts.signal,
      );
    }
    await startPages(dir.sockets.pages, listPage({ settings, follower, planning, findings }), {
      log,
      signal: parts.signal,
    });
    await driver.start();
    deps.haproxyUp.ready();
    const { origin, ageMs } = follower.status();
    if (origin === "disk")
      log.info("Serving the last table from disk", { ageSeconds: Math.round((ageMs ?? 0) / 1_000) });
    const { replicas, token, tls } = settings;
    const work = [
      // What HAProxy has may be newer than the table on disk, where the last Sherlock was killed.
      Promise.race([hold.promise, clock.sleep(adopted ? HOLD_MS : 0, parts.signal)]).then(() =>
        driver.run(parts.signal),
      ),
      resolver.run(parts.signal),
      keepTrimmed(dir, { clock, log, board }, parts.signal),
      reporter.run(parts.signal),
      ...(sampling === null ? [] : [sampling.run(clock, parts.signal)]),
      runLink(
        { replicas, identity: reporter.identity, token, tls, subscribe: follower.subscription },
        { clock, log, board, random: Math.random, handler: reporter.handler(follower), onState: linkChanged },
        parts.signal,
      ),
    ];
    driver.request([]);
    await aborted(signal);
    await reporter.finish();
    parts.abort();
    await Promise.all(work);
    await resolver.save();
    await sessionKeys.saved();
  } finally {
    parts.abort();
    await follower.close();
    if (deps.keepsProxy()) {
      if (haproxy.pid !== null) log.info("Leaving HAProxy to the next start", { pid: haproxy.pid });
      haproxy.leave();
    } else await haproxy.stop(settings.drainMs);
    await admin?.closed;
  }
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot follow the directory: ${String(denial)}`);
}
