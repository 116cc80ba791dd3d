import { type AdminServer, startAdmin } from "@datawire/http";
import { type DaemonContext, isLoopback, type ListenAddress } from "@datawire/runtime";
import type { RouterPorts } from "@datawire/protocol";
import type { RouterSettings } from "../config/settings.ts";
import type { ShownTls } from "../config/shown-tls.ts";
import { consumersHandler } from "../overview/consumers.ts";
import { factsOf } from "../overview/links.ts";
import { reachedPorts } from "../overview/report.ts";
import { statusHandler } from "../overview/status.ts";
import type { Part } from "../processes/part.ts";
import { openAmqpPorts, portsOf, showTls } from "./amqp-ports.ts";
import type { RouterParts } from "./assemble.ts";
import { openBrowserPort } from "./browser-port.ts";
import { type InnerPort, listenInner } from "./inner.ts";

/** The ports of a process, all open. */
export interface OpenPorts {
  /** Where those of the whole router are reached. */
  readonly reached: RouterPorts;
  /** What its ports over TLS show; null without TLS. */
  readonly shown: ShownTls | null;
  /** Where the other processes of the router come in; null where this is the only one. */
  readonly inner: InnerPort | null;
  /** The first port for clients, and the numbers of the others that this process has, as its log tells them. */
  readonly told: Readonly<Record<string, string | number>>;
  /** Ends the connections of clients, and takes no more; the admin port and that of the other processes stay. */
  closeClients(): Promise<void>;
  /** Closes the admin port, which answers until then. */
  closeAdmin(): Promise<void>;
}

/**
 * Opens all ports of a process. With several, the one that started them has the admin port, and the first of them the
 * port for browsers.
 * @param part which process this is; null for the only one.
 * @throws Error that says why one cannot be opened.
 */
export async function openPorts(
  context: DaemonContext<RouterSettings>,
  parts: RouterParts,
  part: Part | null,
): Promise<OpenPorts> {
  const { settings } = context;
  const isFirst = part === null || part.seat.index === 0;
  const stopAdmin = new AbortController();
  const admin = part === null ? await openAdmin(context, parts, stopAdmin.signal) : null;
  const tls = settings.tls && showTls(settings.tls, context);
  const shown = tls?.shown ?? null;
  const inner = part && (await listenInner(part.seat, parts.peer));
  const { listen, tlsListen, open } = await openAmqpPorts(settings, { part, at: parts.sharedPorts, shown }, parts);
  const web = isFirst ? await openBrowserPort(context, parts, shown) : null;
  if (isFirst && settings.auth === null) tellOpen([...open, ...(web ? [web] : [])], context);
  const { host, port } = open[0]?.address ?? listen;
  return {
    reached: reachedPorts(settings.host, {
      amqp: listen,
      amqps: tlsListen,
      shown,
      web: web?.address ?? null,
      admin: isFirst ? (admin?.address ?? settings.admin) : null,
    }),
    shown,
    inner,
    told: { address: host, port, ...portsOf({ admin, web }) },
    async closeClients() {
      tls?.close();
      await Promise.all([...open.map((listener) => listener.close()), web?.close()]);
    },
    async closeAdmin() {
      stopAdmin.abort();
      await admin?.closed;
    },
  };
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
