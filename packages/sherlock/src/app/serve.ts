import { randomBytes } from "node:crypto";
import type { StartAdmin } from "@datawire/http";
import { createDirectoryClient, type LinkState, runLink } from "@datawire/link";
import {
  aborted,
  ExitError,
  exitCodes,
  type ListenAddress,
  ProblemBoard,
  RecentProblems,
  type Readiness,
  type ReadinessPart,
} from "@datawire/runtime";
import type { SherlockSettings } from "../config/settings.ts";
import { BackendNames } from "../haproxy/backend-names.ts";
import { keepTrimmed } from "../haproxy/output-files.ts";
import { hostsOf } from "../inputs/table-hosts.ts";
import { openAccessLog } from "../report/access-log.ts";
import { listPage } from "../report/page-source.ts";
import { startPages } from "../report/pages-server.ts";
import { openSampling } from "../report/sampling.ts";
import { SpanReporter } from "../report/span-reporter.ts";
import { openSpanPipe, type SpanPipe } from "../report/spans.ts";
import { statsHandler } from "../report/stats-handler.ts";
import { requirePorts } from "../setup/proxy.ts";
import { assembleSherlock, type SherlockConfig, type SherlockDeps, type SherlockParts } from "./assemble.ts";

/** What a Sherlock serves with, and whom it tells. */
export interface ServeDeps extends Omit<SherlockDeps, "sampling" | "names"> {
  readonly readiness: Pick<Readiness, "missing">;
  readonly openAdmin: StartAdmin;
  readonly haproxyUp: ReadinessPart;
  readonly tableApplied: ReadinessPart;
  /** Asked at the end: whether HAProxy stays for the next to adopt, gives way to another one, or ends with this program. */
  proxyAtEnd(): "stays" | "gives way" | "ends";
  /** Called when there is nothing to serve and no directory that would have this program; `serve` then throws. */
  onDenied(): void;
  /** Called each time something comes up. */
  onServing(where: { readonly listen: readonly ListenAddress[]; readonly admin: ListenAddress | null }): void;
}

/** An adopted HAProxy is left as it is for so long, unless the directory speaks or it ends. */
const HOLD_MS = 3_000;

const DEATH = "what it said last is in `haproxy.err` in the run folder; was there memory, and who sent the signal?";

/** Follows and drives with one set of settings, until the signal aborts. @throws Error for what keeps it from starting. */
export async function serve(config: SherlockConfig, deps: ServeDeps, signal: AbortSignal): Promise<void> {
  const { settings, dir } = config;
  const { log, clock } = deps;
  const board = new ProblemBoard();
  const leaveBoard = board.include("program", deps.board);
  const names = new BackendNames();
  const sampling = await openSampling(settings.percentiles, { dir, log, board, names });
  const spanPipe = await openSpanPipe(settings.spans, { dir, log, board });
  const possible = {
    ...settings,
    percentiles: sampling === null ? null : settings.percentiles,
    spans: spanPipe === null ? null : settings.spans,
  };
  const accessLog = settings.accessLog ? await openAccessLog({ dir, log, board, names }) : null;
  const ended = new AbortController();
  // Until HAProxy has ended, which logs while it drains.
  const writing = accessLog?.run(clock, ended.signal);
  try {
    const parts = await assembleSherlock({ settings: possible, dir }, { ...deps, board, sampling, names });
    const sampled = [
      ...(sampling === null ? [] : [(until: AbortSignal) => sampling.run(clock, until)]),
      ...(spanPipe === null
        ? []
        : [spanReporting(parts, { pipe: spanPipe, names, settings: possible, deps: { ...deps, board } })]),
    ];
    await drive(parts, { config: { settings: possible, dir }, deps: { ...deps, board }, sampled }, signal);
  } finally {
    ended.abort();
    await writing;
    leaveBoard();
    sampling?.close();
    spanPipe?.close();
  }
}

/** Sends spans to where the link goes, by the token that lets it in. */
function spanReporting(
  { planning, metrics }: SherlockParts,
  {
    pipe,
    names,
    settings,
    deps,
  }: {
    readonly pipe: SpanPipe;
    readonly names: BackendNames;
    readonly settings: SherlockSettings;
    readonly deps: ServeDeps & { readonly board: ProblemBoard };
  },
): (until: AbortSignal) => Promise<void> {
  const { replicas, token, tls, name } = settings;
  const { clock, log, board } = deps;
  return async (until) => {
    const client = createDirectoryClient({ directories: replicas, token, user: null, tls });
    const reporter = new SpanReporter({
      pipe,
      names,
      context: {
        caller: name,
        instanceOf: (backend, server) => planning.serverOf(backend, server)?.instances[0] ?? null,
        newId: () => randomBytes(8).toString("hex"),
      },
      post: (path, body) => client.exchange("POST", path, body),
      metrics,
      clock,
      log,
      board,
    });
    try {
      await reporter.run(until);
    } finally {
      await client.close();
    }
  };
}

interface Drive {
  readonly config: SherlockConfig;
  readonly deps: ServeDeps;
  readonly sampled: readonly ((until: AbortSignal) => Promise<void>)[];
}

async function drive(
  parts: SherlockParts,
  { config: { settings, dir }, deps, sampled }: Drive,
  signal: AbortSignal,
): Promise<void> {
  const { log, clock, board } = deps;
  const { proxy, follower, locality, resolver, sessionKeys, planning, haproxy, driver, metrics, findings, reporter } =
    parts;
  const recent = new RecentProblems("recent", { board, clock, signal });
  /** Resolved when an adopted HAProxy need not be left as it is any longer. */
  const hold = Promise.withResolvers<void>();
  parts.heard.to(() => hold.resolve());
  haproxy.onDeath((reason) => {
    log.error("HAProxy ended, starting it again", { reason });
    recent.note({
      subject: "HAProxy",
      message: `ended, and was started again: ${reason}`,
      severity: "error",
      remedy: DEATH,
    });
    metrics.died();
    hold.resolve();
  });

  const stop = new AbortController();
  let admin: Awaited<ReturnType<StartAdmin>> | null = null;
  let denial: string | null = null;
  try {
    await Promise.all([locality.look(), resolver.load()]);
    await resolver.prepare(hostsOf(follower.table, null));
    const adopted = await driver.adopt();
    await (adopted ? reporter.skipCounted() : requirePorts(proxy));
    if (settings.admin !== null) {
      const handlers = [statsHandler(dir.sockets.stats)];
      admin = await deps.openAdmin(
        { listen: settings.admin, setting: "--admin" },
        { readiness: deps.readiness, registry: metrics.registry, log, handlers },
        stop.signal,
      );
    }
    const page = listPage({ settings, follower, planning, findings });
    await startPages(dir.sockets.pages, page, { log, signal: stop.signal });
    await driver.start();
    deps.haproxyUp.ready();
    const { origin, ageMs } = follower.status();
    if (origin === "disk")
      log.info("Serving the last table from disk", { ageSeconds: Math.round((ageMs ?? 0) / 1_000) });

    const where = { listen: proxy.listen, admin: admin?.address ?? null };
    let isServing = false;
    reporter.onApplied(() => {
      deps.tableApplied.ready();
      if (!isServing) deps.onServing(where);
      isServing = true;
    });
    /** The name of a directory that has just been reached resolves, which it may not have done at the start. */
    const locate = async (): Promise<void> => {
      if (!(await locality.look())) return;
      await resolver.review();
      parts.follow(null);
    };
    /** A Sherlock that no directory has ever told anything has nothing to serve; whoever started it wants to know. */
    const linkChanged = (state: LinkState): void => {
      if (state.state === "connected") parts.attempt(locate());
      if (state.state !== "waiting" || !state.denied || adopted || follower.status().origin !== "none") return;
      denial = state.reason;
      deps.onDenied();
    };
    const { replicas, token, tls } = settings;
    const work = [
      // What HAProxy has may be newer than the table on disk, where the last Sherlock was killed.
      Promise.race([hold.promise, clock.sleep(adopted ? HOLD_MS : 0, stop.signal)]).then(() =>
        driver.run(reporter, stop.signal),
      ),
      resolver.run(stop.signal),
      keepTrimmed(dir, { clock, log, board }, stop.signal),
      reporter.run(stop.signal),
      ...sampled.map((run) => run(stop.signal)),
      runLink(
        { replicas, identity: reporter.identity, token, tls, subscribe: follower.subscription },
        { clock, log, board, random: Math.random, handler: reporter.handler(follower), onState: linkChanged },
        stop.signal,
      ),
    ];
    driver.request([]);
    await aborted(signal);
    await reporter.finish();
    stop.abort();
    await Promise.all(work);
    await resolver.save();
    await sessionKeys.saved();
  } finally {
    stop.abort();
    await follower.close();
    const end = deps.proxyAtEnd();
    if (end === "ends") await haproxy.stop(settings.drainMs);
    else if (end === "gives way") await haproxy.giveWay();
    else {
      if (haproxy.pid !== null) log.info("Leaving HAProxy to the next start", { pid: haproxy.pid });
      haproxy.leave();
    }
    await admin?.closed;
  }
  if (denial !== null) throw new ExitError(exitCodes.notAllowed, `Cannot follow the directory: ${String(denial)}`);
}
