import type { IncomingMessage } from "node:http";
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

/** The cookie that sessions are known by. */
const NAME = "dw_session";
/** Stands in no secret, and needs no quotes in a cookie. */
const BETWEEN = ".";
/** Sessions at other directories that are kept in a cookie, the latest ones. */
const OTHERS_MAX = 5;
/** Of those that a request brings, no more are looked at. */
const SECRETS_MAX = 20;
/** A cookie with sessions of others outlives those of this directory: each directory knows by itself how long its own last. */
const SHARED_SECONDS = 30 * 86_400;

/**
 * The secrets of the sessions that a request brings. A browser has one cookie for all ports of a host, so that there are
 * several where several directories are on one machine; and one for each path, of which it may send some.
 */
export function sessionSecrets({ headers: { cookie = "" } }: Pick<IncomingMessage, "headers">): string[] {
  const secrets = cookie.split(";").flatMap((part) => {
    const at = part.indexOf("=");
    return at > 0 && part.slice(0, at).trim() === NAME
      ? part
          .slice(at + 1)
          .trim()
          .split(BETWEEN)
      : [];
  });
  return [...new Set(secrets)].filter((secret) => secret !== "").slice(0, SECRETS_MAX);
}

/** The sessions that a request brings, for another directory on the same store; null for none. */
export function forwardedCookie(req: Pick<IncomingMessage, "headers">): string | null {
  const secrets = sessionSecrets(req);
  return secrets.length === 0 ? null : `${NAME}=${secrets.join(BETWEEN)}`;
}

/** What a browser is to keep: a session of this directory, or none any more, beside those of others. */
export interface KeptSessions {
  /** Null to sign out. */
  readonly own: { readonly secret: string; readonly seconds: number } | null;
  /** The secrets that came with the request and are none of this directory's. */
  readonly others: readonly string[];
}

/** The value of `Set-Cookie`. */
export function sessionCookie({ path, secure }: CookieScope, { own, others }: KeptSessions): string {
  const kept = others.filter((secret) => SECRET.test(secret)).slice(-OTHERS_MAX);
  const value = [...kept, ...(own === null ? [] : [own.secret])].join(BETWEEN);
  const ownSeconds = own?.seconds ?? 0;
  const seconds = kept.length === 0 ? ownSeconds : Math.max(ownSeconds, SHARED_SECONDS);
  const attributes = ["HttpOnly", "SameSite=Strict", `Path=${path}`, `Max-Age=${seconds}`];
  return [`${NAME}=${value}`, ...attributes, ...(secure ? ["Secure"] : [])].join("; ");
}

/** What is no secret of a directory goes: it came from somebody else. */
const SECRET = /^[\w-]{43}$/;
