import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openTableFollower, runLink, type TableUpdate } from "@datawire/link";
import { listService } from "@datawire/protocol";
import { type DaemonContext, formatListenAddress, listenError, type LogFields, startAdmin } from "@datawire/runtime";
import { renderPage } from "./core/page.ts";
import { createConfigFiles } from "./io/config-files.ts";
import { Configurator } from "./io/configurator.ts";
import { Driver } from "./io/driver.ts";
import { HaproxyProcess } from "./io/haproxy-process.ts";
import { startPages } from "./io/pages-server.ts";
import { tryListen } from "./io/ports.ts";
import { createLoadedFile } from "./io/read-running.ts";
import { Resolver } from "./io/resolver.ts";
import { openRunDir } from "./io/run-dir.ts";
import { statsHandler } from "./io/stats-handler.ts";
import { createMetrics } from "./metrics.ts";
import { Planning } from "./planning.ts";
import { prepareProxy, type Proxy } from "./proxy.ts";
import { Reporter } from "./reporter.ts";
import type { SherlockSettings } from "./settings.ts";
import { hostsOf } from "./table-hosts.ts";

const REFRESH_NAMES_MS = 30_000;
/** Changes within a moment are one reload; a steady stream of them is one a second. */
const COALESCE = { quietMs: 25, waitMsMax: 1_000, gapMs: 300 };

/**
 * Follows the directory and drives HAProxy until the signal aborts, then lets open requests end and stops HAProxy too.
 * After SIGUSR1 it leaves HAProxy serving, for the next start to adopt.
 */
export async function runSherlock(context: DaemonContext<SherlockSettings>): Promise<void> {
  const dir = await openRunDir(context.settings.haproxy.runDir);
  try {
    await serve(context, dir);
  } finally {
    await dir.release();
  }
}

async function serve(
  context: DaemonContext<SherlockSettings>,
  dir: Awaited<ReturnType<typeof openRunDir>>,
): Promise<void> {
  const { settings, log, clock, signal, readiness } = context;
  const proxy = await prepareProxy(settings, dir);
  warnOfWeaknesses(proxy, context);
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  const follower = await openTableFollower(
    { services: null, path: join(settings.dataDir, "table.json") },
    { clock, log, onUpdate: (update) => void updated(update) },
  );
  const resolver = new Resolver(
    { path: join(settings.dataDir, "addresses.json"), refreshMs: REFRESH_NAMES_MS },
    { clock, log, hosts: () => hostsOf(follower.table, null), onChange: () => changed(null) },
  );
  await resolver.load();
  await resolver.prepare(hostsOf(follower.table, null));
  const planning = new Planning(settings, { proxy, follower, resolve: resolver.resolve });
  const files = createConfigFiles(proxy.binary.path, dir);
  const configurator = new Configurator(proxy.settings, { template: proxy.template, files, log });
  const runtimeSocket = hasRuntime(proxy, configurator, planning);
  if (!runtimeSocket) {
    log.warn("Your template has no {{> runtime}}: every change is a reload", { template: proxy.template.path });
  }
  const haproxy = new HaproxyProcess(
    { command: proxy.binary.path, dir, accessLog: settings.accessLog, runtimeSocket },
    {
      clock,
      log,
      onDeath(reason) {
        log.error("HAProxy ended, starting it again", { reason });
        metrics.died();
        driver.lost();
      },
    },
  );
  const metrics = createMetrics({
    revision: () => planning.position?.revision ?? 0,
    tableAgeMs: () => follower.status().ageMs ?? 0,
    oldWorkers: () => haproxy.oldWorkers(),
    services: () => follower.table.size.services,
  });
  const reporter = new Reporter({
    settings,
    clock,
    log,
    metrics,
    planning,
    runtime: haproxy.runtime,
    onFirst: () => applied.ready(),
  });
  const driver = new Driver(
    {
      dir,
      settings: proxy.settings,
      shared: proxy.shared,
      dynamicServers: proxy.binary.version.dynamicServers,
      runtimeCommands: runtimeSocket,
      coalesce: COALESCE,
    },
    {
      clock,
      log,
      process: haproxy,
      configurator,
      files,
      loaded: createLoadedFile(dir.loaded),
      makePlan: (findings) => planning.plan(findings),
      emptyPlan: () => planning.empty(),
      observer: reporter,
    },
  );

  function changed(services: ReadonlySet<string> | null): void {
    planning.forget(services);
    driver.request(services ?? follower.table.serviceNames());
  }
  async function updated(update: TableUpdate): Promise<void> {
    await resolver.prepare(hostsOf(follower.table, update.services));
    reporter.noteChange(update);
    changed(update.services);
  }

  const up = readiness.add("haproxy", "HAProxy has not started yet");
  const applied = readiness.add("table", "no table has come yet");
  const parts = new AbortController();
  const adopted = await driver.adopt();
  if (!adopted) await requirePorts(proxy);
  const admin =
    settings.admin &&
    (await startAdmin(
      { listen: settings.admin, setting: "--admin" },
      { readiness, registry: metrics.registry, log, handlers: [statsHandler(dir.sockets.stats)] },
      parts.signal,
    ));
  await startPages(
    dir.sockets.pages,
    (accept) =>
      renderPage(
        {
          caller: settings.name,
          services: [...follower.table.serviceNames()]
            .sort()
            .flatMap((name) => listService(follower.table, name) ?? []),
          tcp: new Map(
            [...(planning.current?.structure.tcpListeners.values() ?? [])].map((listener) => [
              listener.service,
              formatListenAddress(listener),
            ]),
          ),
          notice: noticeOf(follower.status()),
        },
        accept,
      ),
    parts.signal,
  );
  await driver.start();
  up.ready();
  const { origin, ageMs } = follower.status();
  if (origin === "disk") log.info("Serving the last table from disk", { ageSeconds: Math.round((ageMs ?? 0) / 1_000) });

  readiness.onChange((ready) => {
    if (!ready) return;
    const [address] = proxy.listen;
    const where: LogFields = { address: address?.host, port: address?.port };
    log.info("Sherlock is ready", { ...where, admin: admin === null ? "off" : formatListenAddress(admin.address) });
  });
  readiness.seal();

  const leaving = new AbortController();
  context.onUserSignal(() => {
    leaving.abort();
    context.stop();
  });
  context.onReload((next) => {
    if (JSON.stringify(plain(next)) !== JSON.stringify(plain(settings))) {
      log.warn(
        "Settings have changed; they hold after a restart: send SIGUSR1 and start again, HAProxy serves meanwhile",
      );
    }
  });
  const work = [
    driver.run(parts.signal),
    resolver.run(parts.signal),
    reporter.run(parts.signal),
    runLink(
      {
        replicas: settings.replicas,
        identity: reporter.identity,
        token: settings.token,
        tls: settings.tls,
        subscribe: follower.subscription,
      },
      { clock, log, random: Math.random, handler: reporter.handler(follower) },
      parts.signal,
    ),
  ];
  driver.request([]);
  await aborted(signal);
  parts.abort();
  await Promise.all(work);
  await resolver.save();
  await follower.close();
  if (leaving.signal.aborted) {
    log.info("Leaving HAProxy to the next start", { pid: haproxy.pid });
    haproxy.leave();
  } else await haproxy.stop(settings.drainMs);
  await admin?.closed;
}

/** Two seconds of refused connections, or a start that fails in HAProxy's words, are saved by trying first. */
async function requirePorts({ listen }: Pick<Proxy, "listen">): Promise<void> {
  for (const address of listen) {
    const error = await tryListen(address.host, address.port);
    if (error !== null) throw listenError(error, address, "--listen");
  }
}

function warnOfWeaknesses({ binary, template }: Proxy, { log }: Pick<DaemonContext<SherlockSettings>, "log">): void {
  if (!binary.version.dynamicServers) {
    log.warn("This HAProxy takes new instances by reload only, wanted 2.6 or newer", { version: binary.version.text });
  }
  if (template.path !== null) log.info("Using a template of your own", { path: template.path });
}

/** Whether HAProxy will listen on the runtime socket: a user's template may leave it out. */
function hasRuntime({ settings }: Proxy, configurator: Configurator, planning: Planning): boolean {
  return configurator.render(planning.empty(), "check").includes(settings.sockets.runtime);
}

function noticeOf({
  origin,
  connected,
  ageMs,
}: ReturnType<Awaited<ReturnType<typeof openTableFollower>>["status"]>): string | null {
  if (origin === "none") return "No directory has been heard from yet.";
  if (connected) return null;
  return `The directory is out of reach: this is as it was ${Math.round((ageMs ?? 0) / 1_000)} s ago.`;
}

function plain(settings: SherlockSettings): unknown {
  return { ...settings, env: null, overrides: [...settings.overrides], tcp: [...settings.tcp.listen] };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
