import { type Balance, formatDuration } from "@datawire/protocol";
import { isServerName } from "../model/backend-key.ts";
import { escapeLogFormat, escapeRegex, quoteWord } from "../model/escape.ts";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";
import { DEFAULT_LIMITS, type ServiceLimits, TLS_CONNECT_TIMEOUT_MS } from "../model/limits.ts";
import type { BackendStructure, PlannedServer } from "../model/plan.ts";
import { fetchOf } from "./fetches.ts";
import { commonServerOptions, formatEndpoint, ownServerOptions, type ServerContext } from "./server-options.ts";
import type { BackendView, MappingView, RenderSettings } from "./template-view.ts";

/** A backend with its servers, as the template sees it. */
export function backendView(
  backend: BackendStructure,
  servers: ReadonlyMap<string, PlannedServer>,
  { features, ...context }: Pick<RenderSettings, "features"> & ServerContext,
): BackendView {
  const isTcp = backend.protocol === "tcp";
  const isPlain = isPlainBackend(backend, features);
  return {
    name: backend.name,
    service: backend.service,
    isTcp,
    settings: limitLines(backend),
    balance: balanceLine(backend.balance, features),
    // A CRC alone puts keys that are alike next to each other on the ring.
    hashType: backend.balance.kind === "consistent" ? "consistent crc32 avalanche" : null,
    whenFull: isTcp ? null : fullReason(backend.limits),
    defaults: isTcp ? "tcp" : isPlain ? "plain" : "http",
    hostHeader: isPlain && backend.host !== null ? quoteWord(escapeLogFormat(backend.host)) : null,
    clearHttp2: backend.protocol === "h2" && !backend.tls,
    pinned: backend.pinned,
    mapping: isTcp || isPlain ? null : mappingView(backend, features),
    defaultServer: commonServerOptions(backend, context),
    servers: [...servers.values()].map((server) => ({
      name: server.name,
      address: formatEndpoint(server.address, server.port),
      options: `${ownServerOptions(backend, server)}${server.ready ? "" : " disabled"}`,
    })),
  };
}

function fullReason({ maxConnections, queueTimeoutMs }: ServiceLimits): string | null {
  if (maxConnections === null) return null;
  return `no instance takes the request now, as each takes ${maxConnections} at a time (max_connections) and none had room within ${formatDuration(queueTimeoutMs)} (queue_timeout)`;
}

/** Whether a backend has its rules from `defaults`: without a base path, and with servers that are named for `Host`. */
function isPlainBackend({ base, host }: BackendStructure, { sharedRules }: HaproxyFeatures): boolean {
  return sharedRules && base === "" && (host === null || isServerName(host));
}

/** How a backend maps what goes through it. */
export function mappingView(
  { name, base, host }: Pick<BackendStructure, "name" | "base" | "host">,
  { hostFromName }: HaproxyFeatures,
): MappingView {
  const pattern = escapeRegex(base);
  return {
    name,
    setPath: setPath(base),
    host: host === null ? null : { header: quoteWord(escapeLogFormat(host)) },
    nameIsHost: hostFromName,
    ownHost: host === null ? "{ srv_name,strcmp(txn.loch) eq 0 }" : `{ var(txn.loch) -m str ${quoteWord(host)} }`,
    location: {
      anyHost: quoteWord(`^(?:(?i:https?:)?//[^/?#]*)?${pattern}([/?#].*)?$`),
      path: quoteWord(`^${pattern}([/?#].*)?$`),
    },
    cookiePath: quoteWord(cookiePathRegex(pattern)),
    cookiePathByHost: base === "" ? null : quoteWord(`${COOKIE_PATH}${pattern}(?:/|(?=${PATH_ENDS}))(.*)$`),
  };
}

/** `/NAME/rest` becomes `/base/rest`; `/NAME` alone the base itself, or `/` (routing rules, section 5). */
function setPath(base: string): string {
  if (base === "") return quoteWord("/%[path,field(3,/,0)]");
  return quoteWord(`${escapeLogFormat(base)}%[path,regsub(^/[^/]*,)]`);
}

/**
 * What comes before a cookie's path, of several the last, which is the one that counts. Some servers quote it: curl and
 * others take the quotes off. A cookie of a `__Host-` name is dropped by browsers with any path but `/`.
 */
const COOKIE_PATH = String.raw`(?i)^(?!__Host-)(.*;\s*path\s*=\s*"?)(?-i)`;
const PATH_ENDS = String.raw`\s*(?:[";]|$)`;

/** What comes before a cookie's path, then what of it follows the base; a bare `/` after the base is dropped with it. */
function cookiePathRegex(base: string): string {
  const end = base === "" ? "" : `|${PATH_ENDS}`;
  return `${COOKIE_PATH}${base}(?:/(?=${PATH_ENDS})|(?=/${end}))(.*)$`;
}

function limitLines({ limits, protocol, tls }: BackendStructure): string[] {
  const lines: string[] = [];
  const differs = (key: keyof ServiceLimits): boolean => limits[key] !== DEFAULT_LIMITS[key];
  // Of a TCP service, an idle connection is no slow response: the default of an hour holds unless someone set it.
  if (differs("timeoutMs")) lines.push(`timeout server ${limits.timeoutMs}`);
  if (protocol === "tcp" && differs("timeoutMs")) lines.push(`timeout tunnel ${limits.timeoutMs}`);
  if (tls && !differs("connectTimeoutMs")) lines.push(`timeout connect ${TLS_CONNECT_TIMEOUT_MS}`);
  if (differs("connectTimeoutMs")) lines.push(`timeout connect ${limits.connectTimeoutMs}`);
  if (differs("queueTimeoutMs")) lines.push(`timeout queue ${limits.queueTimeoutMs}`);
  if (differs("retries")) lines.push(`retries ${limits.retries}`);
  return lines;
}

function balanceLine(balance: Balance, { hashBalance }: HaproxyFeatures): string {
  switch (balance.kind) {
    case "round-robin":
    case "cookie": // for new sessions
      return "roundrobin";
    case "random":
      return "random";
    case "least-connections":
      return "leastconn";
    case "ordered":
      return "first";
    case "consistent":
      return hashBalance ? `hash ${hashKey(balance)}` : oldHashBalance(balance);
  }
}

/** What HAProxy before 2.6 has for it. Cookies have nothing: planning replaces that policy. */
function oldHashBalance(balance: Extract<Balance, { kind: "consistent" }>): string {
  switch (balance.by) {
    case "header":
      return quoteWord(`hdr(${balance.name})`);
    case "path":
    case "address": // of messages, and so are those after it: a request has its path alone
    case "group-id":
    case "subject":
    case "property":
      return "uri path-only";
    case "ip":
      return "source";
    case "cookie":
      throw new Error("Cannot balance by a cookie without balance hash: the plan has left that in");
  }
}

function hashKey(balance: Extract<Balance, { kind: "consistent" }>): string {
  switch (balance.by) {
    case "header":
      return fetchOf("req.fhdr", balance.name);
    case "cookie":
      return fetchOf("req.cook", balance.name);
    case "path":
    case "address":
    case "group-id":
    case "subject":
    case "property":
      return "path";
    case "ip":
      return "src";
  }
}
