import { rm } from "node:fs/promises";
import { type DaemonContext, isThisMachine } from "@datawire/runtime";
import { createAccess, OPEN_ACCESS } from "../access/access.ts";
import { TokenBook } from "../access/token-book.ts";
import { tenantOf } from "../address/scope.ts";
import { Refusals } from "../config/refusals.ts";
import type { RouterSettings } from "../config/settings.ts";
import type { Broker } from "../engine/broker.ts";
import { type Moves, openMoves } from "../engine/moves/moves.ts";
import { RateBook } from "../overview/rates.ts";
import { temporaryPrefix } from "../processes/homes.ts";
import type { Ports } from "../processes/messages.ts";
import type { Part } from "../processes/part.ts";
import { createSiblings } from "../processes/siblings.ts";
import { Allotments } from "../routing/allotments.ts";
import { ServiceLinks } from "../services/service-links.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import type { Peers } from "../wire/listener.ts";
import type { Manage } from "../wire/management-link.ts";
import type { PeerDeps } from "../wire/peer.ts";
import { Temporaries } from "../wire/temporaries.ts";
import { farFrom, manageAll } from "./answers.ts";
import { createManagement } from "./management.ts";
import { createMetrics } from "./metrics.ts";
import { openBroker, type OpenedBroker } from "./open-broker.ts";
import type { StatusSources } from "../overview/status.ts";

/** The parts of a router, of which none listens or dials yet. */
export interface RouterParts {
  readonly broker: Broker;
  /** Gives the folder of the log back, once the broker is closed. */
  readonly unlock: () => Promise<void>;
  /** The ports that all processes of the router share; null where this is the only process. */
  readonly sharedPorts: Ports | null;
  readonly services: ServiceLinks;
  readonly allotments: Allotments;
  readonly moves: Moves;
  readonly upstreams: Upstreams;
  readonly rates: RateBook;
  readonly tokens: TokenBook;
  readonly sources: StatusSources;
  readonly registry: ReturnType<typeof createMetrics>;
  /** Answers management questions about what this process has. */
  readonly manage: Manage;
  /** The open connections of clients. */
  readonly peers: Peers;
  /** What the connections of clients share. */
  readonly peer: PeerDeps;
}

/**
 * Reads the log and puts a router together, each part of those before it.
 * @param part which process of a router this is; null where it is the only one.
 * @returns null where this process was started for a log that has no messages any more; all is closed again.
 * @throws Error that says why the log cannot be opened.
 */
export async function assembleRouter(
  context: DaemonContext<RouterSettings>,
  part: Part | null,
): Promise<RouterParts | null> {
  const { settings, log, clock, board, signal } = context;
  const container = `router@${settings.host}`;
  const allotments = new Allotments(clock, (host) => host === settings.host.toLowerCase() || isThisMachine(host));
  const { unsettled: unsettledMax } = settings.limits;
  const services = new ServiceLinks({ clock, log, board, random: Math.random, container, unsettledMax });
  const refusals = new Refusals();
  const opened = await openBroker(context, part?.seat.index ?? null, { services, allotments, refusals });
  const { broker, unlock } = opened;
  const sharedPorts = (await part?.open(broker)) ?? null;
  if (part !== null && sharedPorts === null) {
    await discard(opened);
    part.close();
    return null;
  }

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
  const registry = createMetrics({ broker, upstreams, connections: () => peers.size, refusals });
  const peer: PeerDeps = {
    broker,
    upstreams,
    clock,
    log,
    refusals,
    temporaries: new Temporaries(broker, clock, part === null ? "" : temporaryPrefix(part.seat.index)),
    addresses: { isAuthority: authorities(settings) },
    limits: settings.limits,
    manage: part === null ? manage : manageAll(part, manage),
    container,
    redirect: services.redirect,
    ...(part !== null && { siblings: createSiblings(part, { broker, clock, signal }) }),
    access:
      settings.auth === null
        ? OPEN_ACCESS
        : createAccess({ users: settings.auth.users, tokens: settings.auth.tokens ? tokens : null }),
  };
  const shown = { rates, tokens, sources, registry, manage };
  return { broker, unlock, sharedPorts, services, allotments, moves, upstreams, ...shown, peers, peer };
}

/** Removes a log that holds no message any more: its last ones are where they belong with today's number of processes. */
async function discard({ broker, logFolder, unlock }: OpenedBroker): Promise<void> {
  await broker.close();
  await rm(logFolder, { recursive: true });
  await unlock();
}

/** Whether the first segment of an address, `HOST` or `HOST:PORT`, is this router's own host or one of its directory's. */
function authorities({ host, directories }: RouterSettings): (segment: string) => boolean {
  const names = new Set([host, ...directories.map((directory) => directory.host)].map((name) => name.toLowerCase()));
  return (segment) => names.has(segment.replace(/:\d+$/, "").toLowerCase());
}
