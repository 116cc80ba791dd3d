import { type DaemonContext, describeError } from "@datawire/runtime";
import type { RouterSettings } from "../config/settings.ts";
import type { ShownTls } from "../config/shown-tls.ts";
import { findLibrary } from "../web/find-library.ts";
import { Sites } from "../web/sites.ts";
import { openWeb, type WebPort } from "../web/web-port.ts";
import type { RouterParts } from "./assemble.ts";

/**
 * Opens the port for browsers, where the settings have one. Where the default port is taken, that is logged and the
 * router goes on without it, as a second router of a machine does not need it.
 * @returns null where there is none.
 * @throws Error where the port that the settings name cannot be opened.
 */
export async function openBrowserPort(
  { settings, log, clock, board }: DaemonContext<RouterSettings>,
  { peer, peers }: Pick<RouterParts, "peer" | "peers">,
  shown: ShownTls | null,
): Promise<WebPort | null> {
  const { host, dataDir, web, limits } = settings;
  if (web === null) return null;
  const { listen, isAsked, origins, messageBytes, services } = web;
  try {
    return await openWeb(
      {
        listen,
        host,
        origins,
        connectionsMax: limits.connections,
        messageBytesMax: messageBytes,
        tls: shown,
        dataDir,
      },
      { peer, peers, pages: { sites: new Sites(services, () => clock.monotonicMs()), library: findLibrary } },
    );
  } catch (error) {
    if (isAsked) throw error;
    const message = describeError(error);
    log.warn("No port for browsers", { error: message });
    board.set("web", [{ subject: "web", message, remedy: "set `web` to another address, or to off" }]);
    return null;
  }
}
