import { type AdminServer, startAdmin } from "@datawire/http";
import { aborted, type DaemonContext, isLoopback, type ListenAddress } from "@datawire/runtime";
import type { RouterSettings } from "../config/settings.ts";
import { consumersHandler } from "../overview/consumers.ts";
import { factsOf } from "../overview/links.ts";
import type { Part } from "../processes/part.ts";
import { openAmqpPorts, portsOf, showTls } from "./amqp-ports.ts";
import { createAnswers } from "./answers.ts";
import { assembleRouter, type RouterParts } from "./assemble.ts";
import { openBrowserPort } from "./browser-port.ts";
import { every } from "./every.ts";
import { follow } from "./follow.ts";
import { listenInner } from "./inner.ts";
import { reachedPorts } from "../overview/report.ts";
import { statusHandler } from "../overview/status.ts";

/** How often what goes by time is looked at. */
const TICK_MS = 1_000;

/**
 * Runs a router until the signal aborts; then it ends its connections, and writes what is left to be written.
 * @param part which process of a router this is that has several; null where it is the only one.
 */
export async function runRouter(context: DaemonContext<RouterSettings>, part: Part | null = null): Promise<void> {
  const { settings, log, clock, board, signal, readiness } = context;
  const parts = await assembleRouter(context, part);
  if (parts === null) return;
  const { broker, services, moves, sources, registry, manage, peers, peer } = parts;

  const stopAdmin = new AbortController();
  // With several processes, the one that started them has the admin port, and the first of them the port for browsers.
  const admin = part === null ? await openAdmin(context, parts, stopAdmin.signal) : null;
  const isFirst = part === null || part.seat.index === 0;
  const tls = settings.tls && showTls(settings.tls, { clock, log, board });
  const shown = tls?.shown ?? null;
  const inner = part && (await listenInner(part.seat, peer));
  const at = { part, at: parts.sharedPorts, shown };
  const { listen, tlsListen, open } = await openAmqpPorts(settings, at, { peer, peers });
  const web = isFirst ? await openBrowserPort(context, parts, shown) : null;
  if (isFirst && settings.auth === null) tellOpen([...open, ...(web ? [web] : [])], context);
  const ports = reachedPorts(settings.host, {
    amqp: listen,
    amqps: tlsListen,
    shown,
    web: web?.address ?? null,
    admin: isFirst ? (admin?.address ?? settings.admin) : null,
  });
  const following = await follow(context, parts, { part, ports, shown });
  const cancelTick = every(clock, TICK_MS, () => tick(parts, clock.monotonicMs()));
  readiness.seal();
  part?.ready(createAnswers({ sources, registry, manage, inner, moves }));
  moves.resume();
  const { host, port } = open[0]?.address ?? listen;
  if (part === null) log.info("Router is ready", { address: host, port, ...portsOf({ admin, web }) });
  else log.debug("Process is ready", { process: part.seat.index });

  await aborted(signal);
  cancelTick();
  moves.close();
  peer.temporaries.close();
  tls?.close();
  await Promise.all([...open.map((listener) => listener.close()), web?.close(), following?.ended]);
  await inner?.close();
  await services.close();
  await broker.close();
  stopAdmin.abort();
  await admin?.closed;
  await parts.unlock();
  part?.close();
}

/** Opens the admin port, where the settings have one. */
async function openAdmin(
  { settings, readiness, log }: DaemonContext<RouterSettings>,
  { registry, sources, tokens }: RouterParts,
  signal: AbortSignal,
): Promise<AdminServer | null> {
  if (settings.admin === null) return null;
  const consumers = consumersHandler(() => ({ links: factsOf(sources), tenant: tokens.onlyTenant }));
  const handlers = [statusHandler(sources), consumers];
  return startAdmin({ listen: settings.admin, setting: "admin" }, { readiness, registry, log, handlers }, signal);
}

/** Warns where a port can be reached from other machines and nobody has to log in. */
function tellOpen(
  open: readonly { readonly address: ListenAddress }[],
  { log, board }: DaemonContext<RouterSettings>,
): void {
  if (open.every(({ address }) => isLoopback(address.host))) return;
  log.warn("Everybody who reaches this router may do everything: `auth: { mode: none }`");
  board.set("auth", [
    { subject: "auth", message: "everybody who reaches this router may do everything (`auth: { mode: none }`)" },
  ]);
}

/** Does what is due by time: expiry, links to services, rights that have ended, rates. */
function tick({ broker, services, peers, upstreams, rates }: RouterParts, nowMs: number): void {
  broker.tick();
  services.reconcile();
  for (const peer of peers) peer.review();
  rates.note(nowMs, [...broker.kept, ...broker.direct, ...upstreams.addresses]);
}
