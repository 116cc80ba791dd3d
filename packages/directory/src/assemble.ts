import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type AdminHandler,
  type Clock,
  healthHandler,
  type Logger,
  metricsHandler,
  pathOf,
  type Readiness,
  readyHandler,
  send,
} from "@datawire/runtime";
import type { ApiContext } from "./api/context.ts";
import { endpointsOf } from "./api/endpoints.ts";
import { createRouter } from "./api/router.ts";
import { Counters } from "./core/counters.ts";
import { State, type StateConfig } from "./core/state.ts";
import { Desk } from "./desk.ts";
import { runHousekeeping, saveRegistrations } from "./housekeeping.ts";
import type { HttpHandlers } from "./io/http-server.ts";
import { LinkServer } from "./io/link-server.ts";
import { LinkDesk } from "./link-desk.ts";
import { createMetrics } from "./metrics.ts";
import { Publisher } from "./publisher.ts";
import type { Store } from "./store/contract.ts";

export interface DirectoryConfig extends StateConfig {
  /** The directory's own address, `//host/directory`. */
  readonly address: string;
  /** What an operator should know of the directory's own settings. */
  readonly warnings: readonly string[];
}

export interface DirectoryDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readiness: Pick<Readiness, "missing">;
}

/** A directory that has loaded its store and can serve. */
export interface Directory {
  readonly handlers: HttpHandlers;
  /** Does what is due until the signal aborts, then takes leave of the clients and saves what is not saved yet. */
  run(signal: AbortSignal): Promise<void>;
}

const LINK_PATH = "/v1/link";
/** A client hears something three times a lease. */
const HEARTBEATS_A_LEASE = 3;

/** Puts a directory together from its parts and loads what the store holds. */
export async function assembleDirectory(config: DirectoryConfig, deps: DirectoryDeps): Promise<Directory> {
  const { store, clock, log, readiness } = deps;
  const { address, warnings, leaseMs } = config;
  const metrics = createMetrics();
  const { stored, published, refused, foreign, recorded } = metrics;
  const state = new State(config);
  const publisher = new Publisher(state.writer, { clock, epoch: randomBytes(8).toString("hex"), published });
  const changed = (): void => publisher.touch();
  const desk = new Desk({ state, store, clock, log, changed, stored, recorded });
  await desk.load();
  publisher.begin();

  const counters = new Counters();
  const links = new LinkDesk({ state, desk, counters, publisher, clock, log, refused });
  metrics.observe({ state, links, publisher });
  const heartbeatMs = Math.max(1, Math.round(leaseMs / HEARTBEATS_A_LEASE));
  const linkServer = new LinkServer({ heartbeatMs, leaseMs, directory: address }, { desk: links, clock, log });

  const startedMs = clock.nowMs();
  const served = { state, desk, links, publisher, counters, store };
  const context: ApiContext = { ...served, clock, log, address, startedMs, warnings };
  const router = createRouter(endpointsOf(context), { log, refused });
  const plain = [healthHandler, readyHandler(readiness), metricsHandler(metrics.registry)];

  return {
    handlers: {
      request: (req, res) => answer([...plain, router], { req, res, log }),
      upgrade(req, socket, head) {
        if (pathOf(req) === LINK_PATH) return linkServer.accept(req, socket, head);
        socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
      },
      foreign,
    },
    async run(signal) {
      await runHousekeeping({ state, desk, publisher, store, clock, log }, { warmUpMs: leaseMs }, signal);
      await linkServer.close();
      await desk.settled();
      publisher.close();
      await saveRegistrations({ state, store, log });
    },
  };
}

/** What answers while the store is being loaded. */
export const startingHandlers: HttpHandlers = {
  request(req, res) {
    if (pathOf(req) === "/healthz") return send(res, 200, "ok");
    send(res, 503, "the directory is starting", { "retry-after": "1" });
  },
  upgrade: (_req, socket) => void socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n"),
  foreign: () => {},
};

function answer(
  handlers: readonly AdminHandler[],
  { req, res, log }: { readonly req: IncomingMessage; readonly res: ServerResponse; readonly log: Logger },
): void {
  const inTurn = async (): Promise<void> => {
    for (const handler of handlers) if (await handler(req, res)) return;
  };
  inTurn().catch((error: unknown) => {
    log.error("Request failed", { path: req.url, error });
    res.destroy();
  });
}
