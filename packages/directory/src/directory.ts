import { randomBytes } from "node:crypto";
import { formatDirectoryAddress, hostPort } from "@datawire/protocol";
import {
  type DaemonContext,
  ExitError,
  exitCodes,
  formatListenAddress,
  healthHandler,
  isLoopback,
  type ListenAddress,
  metricsHandler,
  readyHandler,
} from "@datawire/runtime";
import { changeEndpoints } from "./api/changes.ts";
import type { ApiContext } from "./api/context.ts";
import { readEndpoints } from "./api/reads.ts";
import { createRouter } from "./api/router.ts";
import { statusEndpoint } from "./api/status.ts";
import { Counters } from "./core/counters.ts";
import { State } from "./core/state.ts";
import { Desk } from "./desk.ts";
import { runHousekeeping, saveRegistrations } from "./housekeeping.ts";
import { type HttpServer, listenHttp } from "./io/http-server.ts";
import { LinkServer } from "./io/link-server.ts";
import { chooseAddresses, type ListenChoice } from "./io/listen-addresses.ts";
import { createMetrics } from "./metrics.ts";
import { LinkDesk } from "./link-desk.ts";
import { Publisher } from "./publisher.ts";
import { defaultDataDir, type DirectorySettings, type DirectoryValues } from "./settings.ts";
import { openEmbeddedStore } from "./store/embedded.ts";

const LINK_PATH = "/v1/link";
/** A client hears something three times a lease. */
const HEARTBEATS_A_LEASE = 3;

/** Runs a directory until the signal aborts. */
export async function runDirectory(context: DaemonContext<DirectorySettings>): Promise<void> {
  const { log, clock, signal, readiness, input } = context;
  const settings = context.settings.value;
  const choice = await whereToListen(settings);
  const warnings = requireProtection(settings, choice);
  for (const warning of warnings) log.warn("Exposed", { warning });

  const address = addressOf(settings);
  const folder = settings.data_dir ?? defaultDataDir(input.env, process.getuid?.());
  const store = await openEmbeddedStore(folder, address);
  try {
    const metrics = createMetrics();
    const state = new State({
      leaseMs: settings.lease,
      promotionDelayMs: settings.promotion_delay,
      guard: settings.guard,
      directories: authoritiesOf(settings, address),
    });
    const publisher = new Publisher(state.writer, {
      clock,
      epoch: randomBytes(8).toString("hex"),
      published: metrics.published,
    });
    const changed = (): void => publisher.touch();
    const desk = new Desk({ state, store, clock, log, changed, stored: metrics.stored, recorded: metrics.changed });
    await desk.load();
    publisher.flush();
    const counters = new Counters();
    const links = new LinkDesk({ state, desk, counters, publisher, clock, log, refused: metrics.refused });
    metrics.observe({ state, links, publisher });
    const startedMs = clock.nowMs();
    const api: ApiContext = { state, desk, links, publisher, counters, store, clock, address, startedMs, warnings };
    const router = createRouter([...readEndpoints(api), ...changeEndpoints(api), statusEndpoint(api)], {
      log,
      refused: metrics.refused,
    });
    const heartbeatMs = Math.max(1, Math.round(settings.lease / HEARTBEATS_A_LEASE));
    const linkServer = new LinkServer(
      { heartbeatMs, leaseMs: settings.lease, directory: address },
      { desk: links, clock, log },
    );
    const plain = [healthHandler, readyHandler(readiness), metricsHandler(metrics.registry)];
    const http = await listenHttp(
      { addresses: choice.addresses, setting: settings.listen ? "--listen" : "--port", names: namesOf(settings) },
      {
        request: (req, res) => {
          void (async () => {
            for (const handler of plain) if (await handler(req, res)) return;
            await router(req, res);
          })().catch((error: unknown) => {
            log.error("Request failed", { path: req.url, error });
            res.destroy();
          });
        },
        upgrade: (req, socket, head) => {
          if ((req.url ?? "").split("?", 1)[0] === LINK_PATH) return linkServer.accept(req, socket, head);
          socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
        },
        foreign: metrics.foreign,
      },
    );
    announce(context, { http, address, choice });
    await runHousekeeping({ state, desk, publisher, store, clock, log }, { warmUpMs: settings.lease }, signal);
    await linkServer.close();
    await http.close();
    await desk.settled();
    publisher.close();
    await saveRegistrations({ state, store, log });
  } finally {
    await store.close();
  }
}

function announce(
  { log, readiness }: DaemonContext<DirectorySettings>,
  { http, address, choice }: { readonly http: HttpServer; readonly address: string; readonly choice: ListenChoice },
): void {
  if (choice.warning !== null) log.warn("Listening on loopback only", { reason: choice.warning });
  readiness.seal();
  const port = http.addresses[0]?.port;
  log.info("Directory is ready", { address, port, listen: http.addresses.map(formatListenAddress).join(", ") });
}

async function whereToListen({ host, port, listen }: DirectoryValues): Promise<ListenChoice> {
  if (listen !== undefined) return { addresses: [listen], warning: null };
  return chooseAddresses({ host, port });
}

/**
 * Beyond loopback, who may do what is a question that has to be answered: here by saying that anyone may.
 * @returns what to warn about.
 */
function requireProtection({ auth, tls }: DirectoryValues, { addresses }: ListenChoice): string[] {
  const exposed = addresses.filter(({ host }) => !isLoopback(host));
  if (exposed.length === 0) return [];
  const where = exposed.map(formatListenAddress).join(", ");
  if (auth?.mode === "none" && tls === "off") {
    return [`anyone who reaches ${where} can change routes and register services, and the traffic is not encrypted`];
  }
  throw new ExitError(
    exitCodes.badConfiguration,
    `Cannot listen beyond loopback, on ${where}, without authentication and TLS: wanted both \`auth: { mode: none }\` ` +
      `and \`tls: off\` in directory.yaml, which let anyone in, or \`--listen 127.0.0.1:${addresses[0]?.port}\` for this machine alone`,
  );
}

function addressOf({ address, host, port, listen }: DirectoryValues): string {
  return formatDirectoryAddress(address ?? { host, port: listen?.port ?? port });
}

/** The authorities under which an address may name this directory. */
function authoritiesOf({ host, port, listen }: DirectoryValues, address: string): string[] {
  const bound: ListenAddress = { host, port: listen?.port ?? port };
  const hosts = [host, "localhost", "127.0.0.1", ...(listen === undefined ? [] : [listen.host])];
  const own = address.slice(2, address.lastIndexOf("/"));
  return [...new Set([own, ...hosts.map((name) => hostPort(name, bound.port))])];
}

function namesOf({ host, listen, address }: DirectoryValues): string[] {
  return [host, ...(listen === undefined ? [] : [listen.host]), ...(address === undefined ? [] : [address.host])];
}
