import { isLoopback } from "@datawire/runtime";

/** The headers that tell for which site a request was meant and from which it comes. */
export interface RequestOrigin {
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** For what a server takes requests. */
export interface Site {
  /** The names that it is known by. */
  readonly names: readonly string[];
  /** Whether it listens on loopback alone. */
  readonly loopbackOnly: boolean;
  /** The address of pages in front of a proxy, whose origin is taken for its own; null for none. */
  readonly url?: string | null;
  /** Origins of pages that may come from elsewhere; default: none. */
  readonly origins?: readonly string[];
  /** What whoever is refused for its `Origin` is told of: the setting that would let it in. */
  readonly originSetting?: string;
}

/**
 * Says why a request must be refused because a web page may have sent it, or null if it may pass.
 *
 * A page on any site can make its reader's browser send requests to loopback; its `Origin` gives it away, and after
 * rebinding its own name to 127.0.0.1 its `Host` does. `names` are the names this server is known by; a server that
 * listens beyond loopback (`loopbackOnly: false`) takes any `Host`, as it cannot know all of its names.
 */
export function foreignRequest(
  { host, origin }: RequestOrigin,
  { names, loopbackOnly, url = null, origins = [], originSetting }: Site,
): string | null {
  const hostName = host === undefined ? undefined : nameOf(`http://${host}`);
  if (hostName === undefined) return "the Host header is missing or malformed";
  const front = url === null ? null : new URL(url);
  const known = (name: string): boolean =>
    isLoopback(name) || name === front?.hostname || names.some((own) => own.toLowerCase() === name);
  if (loopbackOnly && !known(hostName)) return `the Host ${JSON.stringify(host)} is not a name of this server`;
  if (origin === undefined) return null;
  if (isOwn(origin, host as string) || origin === front?.origin || origins.includes(origin)) return null;
  // What follows its host may be a secret: clients of the original MDK send the whole address that they call.
  const shown = nameOf(origin) === undefined ? origin : new URL(origin).origin.replace(/^null$/, nameOf(origin) ?? "");
  const remedy = `; where a proxy shows this server there, set ${originSetting} to that address`;
  return `the Origin ${JSON.stringify(shown)} is another site${originSetting === undefined ? "" : remedy}`;
}

/**
 * Whether an `Origin` is that of the server itself. No page has one of WebSocket's schemes: a program that sends it says
 * what it calls, as the original MDK does, whose `Host` then lacks the port.
 */
function isOwn(origin: string, host: string): boolean {
  if (nameOf(origin) === undefined) return false;
  const from = new URL(origin);
  const to = new URL(`http://${host}`);
  if (from.protocol !== "ws:" && from.protocol !== "wss:") return from.host === to.host;
  return from.hostname === to.hostname && (to.port === "" || from.port === to.port);
}

/** The host name of a URL in lower case, without the brackets of IPv6, and without the dot of a name that is whole. */
function nameOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  return hostname === "" ? undefined : hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}
