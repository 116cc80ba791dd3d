import { hostname } from "node:os";
import { type Clock, type Logger, type ListenAddress, ownAddresses, type ProblemBoard } from "@datawire/runtime";
import type { RouterTls } from "../config/router-tls.ts";
import type { RouterSettings } from "../config/settings.ts";
import { ShownTls } from "../config/shown-tls.ts";
import type { Ports } from "../processes/messages.ts";
import type { Part } from "../processes/part.ts";
import { listenAmqp, type Listener, type Peers } from "../wire/listener.ts";
import type { PeerDeps } from "../wire/peer.ts";
import { every } from "./every.ts";

/** The ports that clients come to. */
export interface AmqpPorts {
  readonly listen: ListenAddress;
  /** Null without TLS. */
  readonly tlsListen: ListenAddress | null;
  /** Those that are open: none where another process takes clients. */
  readonly open: readonly Listener[];
}

/**
 * Opens the ports for clients.
 * @param at those of all processes together; null for the only one.
 * @throws Error that says why one cannot be opened.
 */
export async function openAmqpPorts(
  { listen: own, tls, limits: { connections: connectionsMax } }: Pick<RouterSettings, "listen" | "tls" | "limits">,
  { part, at, shown }: { readonly part: Part | null; readonly at: Ports | null; readonly shown: ShownTls | null },
  { peer, peers }: { readonly peer: PeerDeps; readonly peers: Peers },
): Promise<AmqpPorts> {
  const isShared = part !== null;
  const listen = { ...own, port: at?.amqp ?? own.port };
  const tlsListen = tls && { ...tls.listen, port: at?.amqps ?? tls.listen.port };
  if (part !== null && !part.takesClients) return { listen, tlsListen, open: [] };
  const open = [await listenAmqp({ listen, setting: "listen", connectionsMax, tls: null, isShared }, peer, peers)];
  if (tlsListen !== null) {
    const config = { listen: tlsListen, setting: "tls_listen", connectionsMax, tls: shown, isShared };
    open.push(await listenAmqp(config, peer, peers));
  }
  return { listen, tlsListen, open };
}

/** How often files of certificates are looked at. */
const LOOK_MS = 10_000;

/**
 * The certificate of the ports over TLS: from files, which are read again while the router runs, or from the directory.
 */
export function showTls(
  { own, clientCa, readAgain }: RouterTls,
  { clock, log, board }: { readonly clock: Clock; readonly log: Logger; readonly board: Pick<ProblemBoard, "set"> },
): { readonly shown: ShownTls; close(): void } {
  const shown = new ShownTls(own, clientCa);
  if (own === null) return { shown, close() {} };
  shown.onChange(() => log.info("Certificate replaced"));
  const look = async (): Promise<void> => {
    const next = await readAgain();
    if (next !== null) shown.replace(next);
    const message = "the files of `tls` cannot be used any more: the certificate that was read before stays";
    board.set("certificate", next === null ? [{ subject: "AMQP over TLS", message, severity: "error" }] : []);
  };
  return { shown, close: every(clock, LOOK_MS, () => void look()) };
}

/** What a certificate for a router is for. */
export function namesOf(host: string): string[] {
  return [host, hostname(), "localhost", ...ownAddresses().filter((address) => !address.startsWith("fe80:"))];
}

/** The numbers of the ports that there are, by name. */
export const portsOf = (
  ports: Readonly<Record<string, { readonly address: ListenAddress } | null | false>>,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(ports).flatMap(([name, port]) =>
      port === null || port === false ? [] : [[name, port.address.port]],
    ),
  );
