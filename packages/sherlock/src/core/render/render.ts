import { type Balance, formatDuration } from "@datawire/protocol";
import { isServerName } from "../model/backend-key.ts";
import { escapeArgument, escapeLogFormat, escapeRegex, quoteWord } from "../model/escape.ts";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";
import { type HttpRules, httpRules } from "./http-rules.ts";
import { DEFAULT_LIMITS, type ServiceLimits, TLS_CONNECT_TIMEOUT_MS } from "../model/limits.ts";
import { type LatencyTarget, type PercentilesView, percentilesView } from "./percentiles-view.ts";
import { type SessionView, sessionViews } from "./session-view.ts";
import type { BackendStructure, MapName, Plan, PlannedServer, RequestKeys } from "../model/plan.ts";

/** What the configuration needs beside the plan. */
export interface RenderSettings {
  readonly version: string;
  readonly caller: string;
  /** `HOST:PORT` as HAProxy writes it. */
  readonly listen: readonly string[];
  readonly maxConnections: number;
  readonly hardStopAfter: string;
  readonly accessLog: boolean;
  /** Where latencies are told; null for nowhere. */
  readonly latencies: LatencyTarget | null;
  readonly sockets: Readonly<Record<"runtime" | "fallback" | "handover" | "stats" | "pages", string>>;
  readonly files: { readonly serverState: string };
  readonly maps: Readonly<Record<MapName | "draw", string>>;
  /** The authorities that verify `https` instances: a file, or `@system-ca`. */
  readonly caFile: string;
  readonly features: HaproxyFeatures;
  /** How much the headers of a request may have together. */
  readonly headerBytesMax: number;
  /** Names that a browser may ask for, beside loopback and services; null where other machines may ask at all. */
  readonly browserHosts: readonly string[] | null;
}

/** What a template may use; the names are stable. Every value is already escaped for where the built-in template has it. */
export interface TemplateView extends Omit<
  RenderSettings,
  "caFile" | "features" | "latencies" | "browserHosts" | "headerBytesMax"
> {
  /** `sherlock GENERATION`: must stand in `global` as the description, so that a reload can be verified. */
  readonly description: string;
  readonly percentiles: PercentilesView | null;
  /** What of HTTP is taken, looked at and passed on. */
  readonly http: HttpRules;
  /** Words of a line; null where browsers are not looked at. */
  readonly browserHosts: string | null;
  /** The defaults of every service. */
  readonly limits: ServiceLimits;
  readonly whenFetches: readonly FetchView[];
  readonly stickyFetches: readonly FetchView[];
  readonly sessionCookies: readonly SessionView[];
  readonly baseLengths: readonly number[];
  /** The rules of backends without a base path; null for an HAProxy in which each has its own. */
  readonly plainMapping: MappingView | null;
  readonly tcpServices: readonly { readonly service: string; readonly bind: string }[];
  readonly backends: readonly BackendView[];
}

/** A look at a request. */
export interface FetchView {
  /** A sample expression, as one word. */
  readonly fetch: string;
  /** How the key is marked in the maps. */
  readonly mark: string;
}

/** A backend as the template sees it. */
export interface BackendView {
  readonly name: string;
  readonly service: string;
  readonly isTcp: boolean;
  /** Lines for the limits that are not the default. */
  readonly settings: readonly string[];
  readonly balance: string;
  readonly hashType: string | null;
  /** Why there is no room, for its clients; null where there always is. */
  readonly whenFull: string | null;
  /** Which `defaults` section it inherits. */
  readonly defaults: "http" | "plain" | "tcp";
  /** What `Host` says where that is all that its rules differ in from those that `defaults` has. */
  readonly hostHeader: string | null;
  /** Whether a session may choose its server. */
  readonly pinned: boolean;
  /** Its own rules; null where `defaults` has them. */
  readonly mapping: MappingView | null;
  readonly defaultServer: string;
  readonly servers: readonly ServerView[];
}

/** How paths, Host, redirects and cookies are mapped between a client and the instances of a backend. */
export interface MappingView {
  readonly name: string;
  readonly setPath: string;
  /** What `Host` says where it is not the name of the server. */
  readonly host: { readonly header: string } | null;
  /** Whether HAProxy takes `Host` from there; else each backend sets it. */
  readonly nameIsHost: boolean;
  /** A condition: the host of a redirect is the instance's own. */
  readonly ownHost: string;
  readonly location: { readonly anyHost: string; readonly path: string };
  readonly cookiePath: string;
  /** The same where the client names the service in Host, and sees the base as `/`; null where it is that anyway. */
  readonly cookiePathByHost: string | null;
}

/** A server line as the template sees it. */
export interface ServerView {
  readonly name: string;
  readonly address: string;
  readonly options: string;
}

/** Makes what a template is filled with. Equal plans and settings make equal views. */
export function viewOf(plan: Plan, settings: RenderSettings, generation: string): TemplateView {
  const { caFile, features, latencies, browserHosts, headerBytesMax, ...rest } = settings;
  const { backends, tcpListeners, keys } = plan.structure;
  return {
    ...rest,
    listen: rest.listen.map(bindWords),
    description: `sherlock ${generation}`,
    percentiles: latencies === null ? null : percentilesView(latencies, settings.accessLog),
    http: httpRules(features, headerBytesMax),
    browserHosts: browserHosts === null ? null : browserHosts.join(" "),
    limits: DEFAULT_LIMITS,
    whenFetches: whenFetches(keys),
    stickyFetches: stickyFetches(keys),
    sessionCookies: sessionViews(keys.sessionCookies),
    baseLengths: keys.baseLengths,
    plainMapping: features.sharedRules ? mappingView({ name: "", base: "", host: null }, features) : null,
    tcpServices: [...tcpListeners.values()].map(({ service, host, port }) => ({
      service,
      bind: bindWords(formatEndpoint(host, port)),
    })),
    backends: [...backends.values()].map((backend) =>
      backendView(backend, plan.servers.get(backend.name) ?? new Map(), { caFile, features }),
    ),
  };
}

/** The options that every server of a backend has, dynamic ones included. */
export function commonServerOptions({ protocol, tls, tlsVerify, limits }: BackendStructure, caFile: string): string {
  const options = [CHECKS, "pool-purge-delay 5s"];
  if (protocol === "h2" && !tls) options.push("proto h2");
  if (tls) {
    const alpn = protocol === "h2" ? "h2" : "http/1.1";
    // A check says of itself what it offers, or it offers nothing.
    options.push(`ssl verify ${tlsVerify ? `required ca-file ${caFile}` : "none"}`, `alpn ${alpn} check-alpn ${alpn}`);
  }
  if (limits.maxConnections !== null) options.push(`maxconn ${limits.maxConnections}`);
  if (limits.slowStartMs > 0) options.push(`slowstart ${limits.slowStartMs}`);
  return options.join(" ");
}

/** The options of one server that only the configuration or `add server` can set. */
export function ownServerOptions(backend: BackendStructure, server: PlannedServer): string {
  const options = [`weight ${server.weight}`];
  if (usesIds(backend.balance)) options.push(`id ${server.id}`);
  if (server.tlsName !== null) {
    const { tlsName } = server;
    // Without `check-sni` the check asks for no name, and is shown the certificate of another.
    options.push(`sni str(${tlsName})`, `check-sni ${tlsName}`);
    if (backend.tlsVerify) options.push(`verifyhost ${tlsName}`);
  }
  return options.join(" ");
}

/** An address with its port as HAProxy and people write it. */
export function formatEndpoint(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * A reload of HAProxy 2.6 with `noreuseport` finds an inherited socket of IPv6 only when `v6only` says in words what
 * its kernel option says anyway. Without it the listener is opened anew, and of two on one port every second reload
 * loses the one of IPv4. The unspecified address serves both families, and needs no word.
 */
function bindWords(endpoint: string): string {
  return endpoint.startsWith("[") && !endpoint.startsWith("[::]:") ? `${endpoint} v6only` : endpoint;
}

/**
 * One failed connection takes a server out at once, and it is probed until it takes connections again. A server that is
 * fine is hardly ever probed: Watson does that, and thousands of servers would cost a twentieth of a core.
 */
const CHECKS =
  "check inter 30s fastinter 500ms downinter 500ms rise 1 fall 2 observe layer4 error-limit 1 on-error mark-down";

function usesIds(balance: Balance): boolean {
  return balance.kind === "ordered" || balance.kind === "consistent";
}

function backendView(
  backend: BackendStructure,
  servers: ReadonlyMap<string, PlannedServer>,
  { caFile, features }: Pick<RenderSettings, "caFile" | "features">,
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
    pinned: backend.pinned,
    mapping: isTcp || isPlain ? null : mappingView(backend, features),
    defaultServer: commonServerOptions(backend, caFile),
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

function mappingView(
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
      anyHost: quoteWord(`^(?:(?:https?:)?//[^/?#]*)?${pattern}([/?#].*)?$`),
      path: quoteWord(`^${pattern}([/?#].*)?$`),
    },
    cookiePath: quoteWord(cookiePathRegex(pattern)),
    cookiePathByHost:
      base === "" ? null : quoteWord(String.raw`(?i)^(.*?;\s*path=)(?-i)${pattern}(?:/|(?=\s*(?:;|$)))(.*)$`),
  };
}

/** `/NAME/rest` becomes `/base/rest`; `/NAME` alone the base itself, or `/` (routing rules, section 5). */
function setPath(base: string): string {
  if (base === "") return quoteWord("/%[path,field(3,/,0)]");
  return quoteWord(`${escapeLogFormat(base)}%[path,regsub(^/[^/]*,)]`);
}

/** What comes before a cookie's path, then what of it follows the base; a bare `/` after the base is dropped with it. */
function cookiePathRegex(base: string): string {
  const end = base === "" ? "" : String.raw`|\s*(?:;|$)`;
  return String.raw`(?i)^(.*?;\s*path=)(?-i)${base}(?:/(?=\s*(?:;|$))|(?=/${end}))(.*)$`;
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
      return "path";
    case "ip":
      return "src";
  }
}

function whenFetches({ whenHeaders, whenCookies, whenQueries }: RequestKeys): FetchView[] {
  const view =
    (fetch: string, letter: string) =>
    (name: string): FetchView => ({
      fetch: fetchOf(fetch, name),
      mark: quoteArgument(`|${letter}:${name}=`),
    });
  return [
    ...whenHeaders.map(view("req.fhdr", "h")),
    ...whenCookies.map(view("req.cook", "c")),
    ...whenQueries.map(view("url_param", "q")),
  ];
}

function stickyFetches({ stickyHeaders, stickyCookies, stickyIp }: RequestKeys): FetchView[] {
  return [
    ...stickyHeaders.map((name) => ({ fetch: fetchOf("req.fhdr", name), mark: quoteWord(`h:${name}`) })),
    ...stickyCookies.map((name) => ({ fetch: fetchOf("req.cook", name), mark: quoteWord(`c:${name}`) })),
    ...(stickyIp ? [{ fetch: "src", mark: "ip" }] : []),
  ];
}

/** A sample fetch with a name from elsewhere as its argument, quoted as one word of a line. */
function fetchOf(fetch: string, name: string): string {
  return `${fetch}(${quoteArgument(name)})`;
}

/** An argument that holds anything: escaped for the argument, then for the line. */
function quoteArgument(text: string): string {
  const escaped = escapeArgument(text);
  return escaped === text && !text.includes("#") ? text : quoteWord(escaped);
}
