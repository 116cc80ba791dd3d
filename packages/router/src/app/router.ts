import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { startAdmin } from "@datawire/http";
import {
  aborted,
  type DaemonContext,
  describeError,
  formatListenAddress,
  isLoopback,
  isThisMachine,
  type ListenAddress,
  makePrivateFolder,
  RecentProblems,
} from "@datawire/runtime";
import { createAccess, OPEN_ACCESS } from "../access/access.ts";
import { TokenBook } from "../access/token-book.ts";
import type { RouterSettings } from "../config/settings.ts";
import type { WebSettings } from "../config/web-settings.ts";
import { Broker } from "../engine/broker.ts";
import { openMoves } from "../engine/moves/moves.ts";
import { createFileDisk } from "../log/file-disk.ts";
import { annotate } from "../wire/annotate.ts";
import type { Peers } from "../wire/listener.ts";
import { Refusals } from "../config/refusals.ts";
import { Temporaries } from "../wire/temporaries.ts";
import type { DirectoryAccess } from "../directory/access-follower.ts";
import { followDirectory } from "../directory/follow.ts";
import { findLibrary } from "../web/find-library.ts";
import { Sites } from "../web/sites.ts";
import { openWeb, type WebPort } from "../web/web-port.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { tenantOf } from "../address/scope.ts";
import { temporaryPrefix } from "../processes/homes.ts";
import { logFolderOf } from "../processes/messages.ts";
import type { Part } from "../processes/part.ts";
import { namesOf, openAmqpPorts, portsOf, showTls } from "./amqp-ports.ts";
import { every } from "./every.ts";
import { createAnswers, farFrom, manageAll } from "./answers.ts";
import { listenInner, memberOf } from "./inner.ts";
import { lockFolder, lockLater } from "./lock.ts";
import { createManagement } from "./management.ts";
import { createMetrics } from "./metrics.ts";
import { ServiceLinks } from "../services/service-links.ts";
import { Allotments } from "../routing/allotments.ts";
import { tellRecovered } from "./recovered.ts";
import { RateBook } from "../overview/rates.ts";
import { factsOf } from "../overview/links.ts";
import { consumersHandler } from "./consumers.ts";
import { reportOf } from "./report.ts";
import { statusHandler, type StatusSources } from "./status.ts";

/**
 * Routes until the signal aborts; then it ends its connections, and writes what is left to write.
 * @param part which process of a router this is that has several; null where it is the only one.
 */
export async function runRouter(context: DaemonContext<RouterSettings>, part: Part | null = null): Promise<void> {
  const { settings, log, clock, board, signal, readiness } = context;
  const recent = new RecentProblems("recent", { board, clock, signal });
  const logFolder = join(settings.dataDir, logFolderOf(part?.seat.index ?? 0));
  await makePrivateFolder(settings.dataDir);
  await makePrivateFolder(logFolder);
  const unlock = part === null ? await lockFolder(settings.dataDir) : await lockLater(logFolder, clock);

  const startedMs = clock.monotonicMs();
  const allotments = new Allotments(clock, (host) => host === settings.host.toLowerCase() || isThisMachine(host));
  const container = `router@${settings.host}`;
  const { unsettled: unsettledMax } = settings.limits;
  const services = new ServiceLinks({ clock, log, board, random: Math.random, container, unsettledMax });
  const broker = await Broker.open(
    { rules: settings.rules, log: settings.log },
    {
      disk: createFileDisk(logFolder),
      clock,
      random32: () => randomBytes(4).readUInt32LE(),
      later: setImmediate,
      annotate,
      ...(settings.directories.length > 0 && { allot: allotments.allot }),
      isService: (name) => services.isService(name),
      serviceMade: () => void setImmediate(() => services.reconcile()),
      onTrouble: tellTrouble,
      onFault(subject, error) {
        const message = describeError(error);
        log.warn("The log cannot be used as it should", { subject, error: message });
        recent.note({ subject, message });
      },
    },
  );
  tellRecovered(broker, { log, board, logFolder, tookMs: Math.round(clock.monotonicMs() - startedMs) });
  const ports = await part?.open(broker);
  if (part !== null && ports === null) return leave(part);

  const far = farFrom(part);
  const moves = openMoves(broker, { clock, far });
  services.serve(broker);
  const peers: Peers = new Set();
  const upstreams = new Upstreams([...settings.upstreams, ...(part?.siblings ?? [])], {
    // What tenants have is their own, and an upstream is not.
    farOf: (name) => (tenantOf(name) === null ? settings.rules.treat(name).far : null) ?? part?.farOf(name) ?? null,
    clock,
    log,
    board,
    random: Math.random,
  });
  const rates = new RateBook();
  const tokens = new TokenBook(() => clock.nowMs());
  const sources: StatusSources = {
    host: settings.host,
    broker,
    upstreams,
    rates,
    peers,
    problems: () => board.list(),
    tenant: () => tokens.onlyTenant,
    nowMs: broker.nowMs,
  };
  const manage = createManagement(sources, { far, moves });
  const refusals = new Refusals();
  const registry = createMetrics({ broker, upstreams, connections: () => peers.size, refusals });
  const stopAdmin = new AbortController();
  const admin =
    part === null &&
    settings.admin &&
    (await startAdmin(
      { listen: settings.admin, setting: "admin" },
      {
        readiness,
        registry,
        log,
        handlers: [
          statusHandler(sources),
          consumersHandler(() => ({ links: factsOf(sources), tenant: tokens.onlyTenant })),
        ],
      },
      stopAdmin.signal,
    ));
  const names = new Set(
    [settings.host, ...settings.directories.map(({ host }) => host)].map((name) => name.toLowerCase()),
  );
  const connectionsMax = settings.limits.connections;
  const deps = {
    broker,
    upstreams,
    clock,
    log,
    refusals,
    temporaries: new Temporaries(broker, clock, part === null ? "" : temporaryPrefix(part.seat.index)),
    addresses: { isAuthority: (segment: string) => names.has(segment.replace(/:\d+$/, "").toLowerCase()) },
    limits: settings.limits,
    manage: part === null ? manage : manageAll(part, manage),
    container,
    redirect: services.redirect,
    access:
      settings.auth === null
        ? OPEN_ACCESS
        : createAccess({ users: settings.auth.users, tokens: settings.auth.tokens ? tokens : null }),
  };
  const tls = settings.tls && showTls(settings.tls, { clock, log, board });
  const shown = tls?.shown ?? null;
  const inner = part && (await listenInner(part.seat, deps));
  const { listen, tlsListen, open } = await openAmqpPorts(
    settings,
    { part, at: ports ?? null, shown },
    { peer: deps, peers },
  );
  // Browsers have to do with the first one.
  const isFirst = part === null || part.seat.index === 0;
  const web = isFirst && settings.web && (await openWebPort(settings.web));
  const isRemote = [...open, ...(web ? [web] : [])].some(({ address }) => !isLoopback(address.host));
  if (isFirst && settings.auth === null && isRemote) {
    log.warn("Everybody who reaches this router may do everything: `auth: { mode: none }`");
    board.set("auth", [
      { subject: "auth", message: "everybody who reaches this router may do everything (`auth: { mode: none }`)" },
    ]);
  }
  const reached = {
    amqp: reachedAt(listen),
    // Nobody is sent where no certificate is shown.
    get amqps() {
      return tlsListen !== null && (shown?.current ?? null) !== null ? reachedAt(tlsListen) : null;
    },
    web: web ? reachedAt(web.address) : null,
    admin: (isFirst && settings.admin && reachedAt(admin ? admin.address : settings.admin)) || null,
  };
  const { directories: replicas, proof, host: name, dataDir } = settings;
  const following =
    replicas.length === 0
      ? null
      : (
          await followDirectory(
            { replicas, ...proof, ...(await memberOf(part, { host: name, dataDir })) },
            {
              clock,
              log,
              board,
              random: Math.random,
              report: () => reportOf(sources, reached),
              allotments,
              onTable: (table) => services.follow(table),
              url: () => `amqp://${reached.amqp}`,
              onAccess: takeAccess,
              ...(settings.tls?.own === null &&
                shown !== null && { certificate: { names: namesOf(name), show: (next) => shown.replace(next) } }),
            },
          )
        ).run(signal);
  const cancelTick = every(clock, 1_000, tick);
  readiness.seal();
  part?.ready(createAnswers({ sources, registry, manage, inner, moves }));
  moves.resume();
  const { host, port } = open[0]?.address ?? listen;
  if (part === null) log.info("Router is ready", { address: host, port, ...portsOf({ admin, web }) });
  else log.debug("Process is ready", { process: part.seat.index });

  await aborted(signal);
  cancelTick();
  moves.close();
  tls?.close();
  await Promise.all([...open.map((port) => port.close()), web && web.close(), following]);
  await inner?.close();
  await services.close();
  await broker.close();
  stopAdmin.abort();
  await (admin || null)?.closed;
  await unlock();
  part?.close();

  /** The last of what was left of another time has gone to where it belongs today. */
  async function leave(part: Part): Promise<void> {
    await broker.close();
    await rm(logFolder, { recursive: true });
    await unlock();
    part.close();
  }

  function takeAccess({ asks, tokens: known }: DirectoryAccess): void {
    tokens.set(known);
    for (const part of [allotments, services]) part.belongTo(tokens.onlyTenant);
    for (const peer of peers) peer.review();
    const isFutile = settings.auth?.tokens === true && !asks;
    const message =
      "`auth: { mode: token }`, and the directory asks nobody who they are: there is no token to come with";
    const remedy = "set `auth: { mode: token }` in directory.yaml, or `users` here";
    board.set("tokens", isFutile ? [{ subject: "auth", message, remedy }] : []);
  }

  /** Of a port on all addresses others know the name of the machine. */
  function reachedAt({ host, port }: ListenAddress): string {
    const isAny = host === "0.0.0.0" || host === "::";
    return formatListenAddress({ host: isAny ? settings.host : host, port });
  }

  /** Null where the port is taken that nobody asked for: the second router of a machine has no other use for it. */
  async function openWebPort({
    listen,
    isAsked,
    origins,
    messageBytes,
    services,
  }: WebSettings): Promise<WebPort | null> {
    const { host, dataDir } = settings;
    try {
      return await openWeb(
        { listen, host, origins, connectionsMax, messageBytesMax: messageBytes, tls: shown, dataDir },
        { peer: deps, peers, pages: { sites: new Sites(services, () => clock.monotonicMs()), library: findLibrary } },
      );
    } catch (error) {
      if (isAsked) throw error;
      const message = describeError(error);
      log.warn("No port for browsers", { error: message });
      board.set("web", [{ subject: "web", message, remedy: "set `web` to another address, or to off" }]);
      return null;
    }
  }

  function tick(): void {
    broker.tick();
    services.reconcile();
    for (const peer of peers) peer.review();
    const counted = [...broker.kept, ...broker.direct, ...upstreams.addresses].map(({ name, counters }) => ({
      name,
      in: counters.in,
      out: counters.out,
    }));
    rates.note(clock.monotonicMs(), counted);
  }

  function tellTrouble(error: unknown): void {
    if (error === null) {
      log.info("The log is written again");
      return board.set("log", []);
    }
    const message = `no message is accepted: ${describeError(error)}`;
    if (board.list().some((problem) => problem.subject === "log" && problem.message === message)) return;
    log.error("The log cannot be written, accepting nothing", { folder: logFolder, error: describeError(error) });
    const remedy = `free some space below ${logFolder}, or mend the disk: what waits is accepted then`;
    board.set("log", [{ subject: "log", message, severity: "error", remedy }]);
  }
}
