import type { StartAdmin } from "@datawire/http";
import { type LinkState, runLink } from "@datawire/link";
import {
  aborted,
  ExitError,
  exitCodes,
  type ListenAddress,
  RecentProblems,
  type Readiness,
  type ReadinessPart,
} from "@datawire/runtime";
import { keepTrimmed } from "../haproxy/output-files.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import { listPage } from "../report/page-source.ts";
import { startPages } from "../report/pages-server.ts";
import { statsHandler } from "../report/stats-handler.ts";
import { requirePorts } from "../setup/proxy.ts";
import type { SherlockConfig, SherlockDeps, SherlockParts } from "./assemble.ts";

/** What a Sherlock drives its HAProxy with, and whom it tells. */
export interface DriveDeps extends Pick<SherlockDeps, "log" | "clock" | "board"> {
  readonly readiness: Pick<Readiness, "missing">;
  readonly openAdmin: StartAdmin;
  readonly haproxyUp: ReadinessPart;
  readonly tableApplied: ReadinessPart;
  /** Asked at the end: whether HAProxy stays for the next to adopt, gives way to another one, or ends with this program. */
  proxyAtEnd(): "stays" | "gives way" | "ends";
  /** Calls back right before this program leaves in haste; the function returned ends that. */
  onLeave(listener: () => void): () => void;
  /** Called when there is nothing to serve and no directory that would have this program, which then ends. */
  onDenied(): void;
  /** Called each time something comes up. */
  onServing(where: Serving): void;
}

interface Serving {
  readonly listen: readonly ListenAddress[];
  readonly admin: ListenAddress | null;
}

interface Drive {
  readonly config: SherlockConfig;
  readonly deps: DriveDeps;
  /** What samples requests and spans, each until its signal aborts. */
  readonly sampled: readonly ((until: AbortSignal) => Promise<void>)[];
}

/** An adopted HAProxy is left as it is for so long, unless the directory speaks or it ends. */
const HOLD_MS = 3_000;

const DEATH = "what it said last is in `haproxy.err` in the run folder; was there memory, and who sent the signal?";

/**
 * Brings HAProxy up, makes it follow the directory until the signal aborts, and then leaves or ends it.
 * @throws Error for what keeps it from starting.
 */
export async function drive(
  parts: SherlockParts,
  { config, deps, sampled }: Drive,
  signal: AbortSignal,
): Promise<void> {
  const { settings, dir } = config;
  const { log, clock, board } = deps;
  const { follower, reporter, resolver, driver } = parts;
  const mayChange = awaitNews(parts, deps, signal);
  const stop = new AbortController();
  // What is to end with this program would stay behind it, and nobody would look after it.
  const stay = deps.onLeave(() => {
    if (deps.proxyAtEnd() === "ends") parts.haproxy.kill();
  });
  let admin: Awaited<ReturnType<StartAdmin>> | null = null;
  let denial: string | null = null;
  try {
    const adopted = await adoptProxy(parts);
    admin = await openAdmin(parts, { config, deps }, stop.signal);
    await bringUp(parts, { config, deps }, stop.signal);
    tellServing(parts, deps, admin);

    /** A Sherlock that no directory has ever told anything has nothing to serve; whoever started it wants to know. */
    const onState = (state: LinkState): void => {
      if (state.state === "connected") parts.attempt(locate(parts));
      if (state.state !== "waiting" || !state.denied || adopted || follower.status().origin !== "none") return;
      denial = state.reason;
      deps.onDenied();
    };
    const { replicas, token, tls } = settings;
    const work = [
      // What HAProxy has may be newer than the table on disk, where the last Sherlock was killed.
      Promise.race([mayChange, clock.sleep(adopted ? HOLD_MS : 0, stop.signal)]).then(() =>
        driver.run(reporter, stop.signal),
      ),
      resolver.run(stop.signal),
      keepTrimmed(dir, { clock, log, board }, stop.signal),
      reporter.run(stop.signal),
      ...sampled.map((run) => run(stop.signal)),
      runLink(
        { replicas, identity: reporter.identity, token, tls, subscribe: follower.subscription },
        { clock, log, board, random: Math.random, handler: reporter.handler(follower), onState },
        stop.signal,
      ),
    ];
    driver.request([]);
    await aborted(signal);
    await reporter.finish();
    stop.abort();
    await Promise.all(work);
    await resolver.save();
    await parts.sessionKeys.saved();
  } finally {
    stop.abort();
    await follower.close();
    await endProxy(parts, { config, deps });
    stay();
    await admin?.closed;
  }
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot follow the directory: ${String(denial)}`);
}

/** Resolves when an adopted HAProxy need not be left as it is any longer: the directory has spoken, or HAProxy has ended. */
function awaitNews(
  { heard, haproxy, metrics }: SherlockParts,
  { log, clock, board }: DriveDeps,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const recent = new RecentProblems("recent", { board, clock, signal });
  heard.to(() => resolve());
  haproxy.onDeath((reason) => {
    log.error("HAProxy ended, starting it again", { reason });
    const message = `ended, and was started again: ${reason}`;
    recent.note({ subject: "HAProxy", message, severity: "error", remedy: DEATH });
    metrics.died();
    resolve();
  });
  return promise;
}

/** Adopts the HAProxy that the last Sherlock has left, and says whether there was one; else the ports have to be free. */
async function adoptProxy({ proxy, follower, locality, resolver, driver, reporter }: SherlockParts): Promise<boolean> {
  await Promise.all([locality.look(), resolver.load()]);
  await resolver.prepare(hostsOf(follower.table, null));
  const adopted = await driver.adopt();
  await (adopted ? reporter.skipCounted() : requirePorts(proxy));
  return adopted;
}

async function openAdmin(
  { metrics: { registry } }: SherlockParts,
  { config: { settings, dir }, deps: { readiness, log, openAdmin: open } }: Omit<Drive, "sampled">,
  signal: AbortSignal,
) {
  if (settings.admin === null) return null;
  const handlers = [statsHandler(dir.sockets.stats)];
  return open({ listen: settings.admin, setting: "--admin" }, { readiness, registry, log, handlers }, signal);
}

/** Starts the pages that HAProxy shows, and HAProxy itself with the last table, where there is one on disk. */
async function bringUp(
  { follower, planning, findings, driver }: SherlockParts,
  { config: { settings, dir }, deps: { log, haproxyUp } }: Omit<Drive, "sampled">,
  signal: AbortSignal,
): Promise<void> {
  await startPages(dir.sockets.pages, listPage({ settings, follower, planning, findings }), { log, signal });
  await driver.start();
  haproxyUp.ready();
  const { origin, ageMs } = follower.status();
  if (origin === "disk") log.info("Serving the last table from disk", { ageSeconds: Math.round((ageMs ?? 0) / 1_000) });
}

/** Says where it serves, once HAProxy follows a table. */
function tellServing(
  { proxy: { listen }, reporter }: SherlockParts,
  { tableApplied, onServing }: DriveDeps,
  admin: { readonly address: ListenAddress } | null,
): void {
  let isServing = false;
  reporter.onApplied(() => {
    tableApplied.ready();
    if (!isServing) onServing({ listen, admin: admin?.address ?? null });
    isServing = true;
  });
}

/** The name of a directory that has just been reached resolves, which it may not have done at the start. */
async function locate({ locality, resolver, follow }: SherlockParts): Promise<void> {
  if (!(await locality.look())) return;
  await resolver.review();
  follow(null);
}

async function endProxy(
  { haproxy }: SherlockParts,
  { config: { settings }, deps: { log, proxyAtEnd } }: Omit<Drive, "sampled">,
): Promise<void> {
  const end = proxyAtEnd();
  if (end === "ends") return haproxy.stop(settings.drainMs);
  if (end === "gives way") return haproxy.giveWay();
  if (haproxy.pid !== null) log.info("Leaving HAProxy to the next start", { pid: haproxy.pid });
  haproxy.leave();
}
