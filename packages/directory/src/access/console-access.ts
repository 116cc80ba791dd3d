import type { Protection } from "./protection.ts";

/** What the console and its sessions are set to. */
export interface ConsoleConfig {
  /** Its address in front of a proxy, ending in a slash; null where there is none. */
  readonly url: string | null;
  /** How long a session lasts. */
  readonly sessionMs: number;
}

/** A cookie beyond its name and value: where it is sent, and whether over TLS alone. */
export interface CookieScope {
  readonly path: string;
  readonly secure: boolean;
}

/** The cookie of sessions as the address of the console demands it: that of the proxy, or the directory's own. */
export function cookieScope({ url }: Pick<ConsoleConfig, "url">, { tls }: Pick<Protection, "tls">): CookieScope {
  if (url === null) return { path: "/", secure: tls !== "off" };
  const { pathname, protocol } = new URL(url);
  return { path: pathname, secure: protocol === "https:" };
}
