import { ProtocolError } from "../words/errors.ts";
import { carriedIpv4, isInNetwork, isIpv4, parseIp } from "./ip-address.ts";
import { quoteShort } from "../words/names.ts";

/** How a service speaks: HTTP/1, HTTP/2 without TLS (gRPC), bytes, or messages (AMQP 1.0). */
export const PROTOCOLS = ["http", "h2", "tcp", "amqp"] as const;
/** What an instance speaks: one of `PROTOCOLS`. */
export type ServiceProtocol = (typeof PROTOCOLS)[number];

/** What all instances of a service have in common: requests, bytes, or messages. */
export function familyOf(protocol: ServiceProtocol): "http" | "tcp" | "amqp" {
  return protocol === "h2" ? "http" : protocol;
}

/**
 * The protocol that the scheme of this URL stands for; `http` where there is none, so that reading the URL then refuses
 * it.
 */
export function protocolOfUrl(text: string): ServiceProtocol {
  const [, scheme = "http"] = /^(tcp|amqp)s?:/i.exec(text) ?? [];
  return scheme.toLowerCase() === "tcp" ? "tcp" : scheme.toLowerCase() === "amqp" ? "amqp" : "http";
}

/** The URL of an instance, taken apart and normalised. */
export interface InstanceUrl {
  readonly scheme: "http" | "https" | "tcp" | "amqp" | "amqps";
  /** Lower case; an IPv6 literal without its brackets. */
  readonly host: string;
  readonly port: number;
  /** What `Host` says: the host, with the port where it is not the scheme's own; an IPv6 literal in brackets. */
  readonly authority: string;
  /** The path before every request's own, without its trailing slash: `` or `/base`. As typed, percent-encoding kept. */
  readonly base: string;
}

/** The longest URL of an instance, in characters. */
export const URL_LENGTH_MAX = 1_024;

const DEFAULT_PORT = { http: 80, https: 443, amqp: 5_672, amqps: 5_671 } as const;
/** What a URL looks like, by the family of its protocol. */
const FORMS = {
  http: "http://HOST[:PORT][/BASE]",
  tcp: "tcp://HOST:PORT",
  amqp: "amqp://HOST[:PORT][/ADDRESS]",
} as const;
/** RFC 3986 `pchar` and `/`: what a path may hold. Nothing else reaches a proxy's configuration. */
const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?$/;
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/;
/** An IPv4 address or nothing (the rule of WHATWG's URL): resolvers read `0x7f.1` as one. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/;
const PARTS = /^([a-z0-9+.-]+):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i;

/**
 * Reads the URL that a service file or a registration gives.
 * Not `new URL()`: that would decode and re-encode the base path, which has to arrive as it was written.
 * @throws ProtocolError `invalid_argument` that quotes the URL.
 */
export function parseInstanceUrl(text: string, protocol: ServiceProtocol): InstanceUrl {
  if (text.length > URL_LENGTH_MAX) throw invalid(text, `it has more than ${URL_LENGTH_MAX} characters`);
  const match = PARTS.exec(text);
  const wanted = FORMS[familyOf(protocol)];
  if (match === null) throw invalid(text, `it begins with no scheme such as http://; wanted ${wanted}`);
  const [, rawScheme = "", authority = "", path = "", query, fragment] = match;
  const scheme = rawScheme.toLowerCase();
  if (!schemeFits(scheme, protocol))
    throw invalid(text, `a service with protocol ${protocol} has a URL like ${wanted}`);
  if (query !== undefined || fragment !== undefined) throw invalid(text, "it has a query or a fragment");
  if (!PATH.test(path)) throw invalid(text, "its path has a character that must be percent-encoded");
  if (/(?:^|\/)\.\.?(?:\/|$)/.test(path)) throw invalid(text, "its path has a . or .. part");
  const { host, port } = parseAuthority(text, authority);
  if (scheme === "tcp") {
    if (path !== "" && path !== "/") throw invalid(text, "a tcp URL has no path");
    if (port === null) throw invalid(text, "a tcp URL needs a port");
    return { scheme, host, port, authority: `${bracket(host)}:${port}`, base: "" };
  }
  const defaultPort = DEFAULT_PORT[scheme];
  const base = path.replace(/\/+$/, "");
  const shown = port === null || port === defaultPort ? bracket(host) : `${bracket(host)}:${port}`;
  return { scheme, host, port: port ?? defaultPort, authority: shown, base };
}

/** Whether `text` is a host name as certificates carry one: in lower case, and no address. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && HOST_NAME.test(text) && !ENDS_IN_NUMBER.test(text);
}

/** Whether `host` is an IP literal (bare, without brackets). */
export function isIpLiteral(host: string): boolean {
  return parseIp(host) !== null;
}

/**
 * Networks that are reached only from the machine itself or from its link, and the addresses at which clouds give each
 * machine its own metadata, which has secrets (AWS and Google Cloud over IPv6, Alibaba; those of the others over IPv4
 * are link-local).
 */
const MACHINE_LOCAL = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "::/128",
  "::1/128",
  "fe80::/10",
  "fd00:ec2::254/128",
  "fd20:ce::254/128",
] as const;

/** Whether `host` can only mean the machine itself, or the link it is on: of no use to another machine. */
export function isMachineLocal(host: string): boolean {
  if (isLocalhost(host)) return true;
  const address = parseIp(host.replace(/\.$/, ""));
  if (address === null) return false;
  const carried = carriedIpv4(address);
  return MACHINE_LOCAL.some(
    (network) => isInNetwork(address, network) || (carried !== null && isInNetwork(carried, network)),
  );
}

/** Whether `host` is a name that is loopback by its very name (RFC 6761, section 6.3). */
export function isLocalhost(host: string): boolean {
  return /^(?:.*\.)?localhost\.?$/is.test(host);
}

function schemeFits(scheme: string, protocol: ServiceProtocol): scheme is InstanceUrl["scheme"] {
  const family = familyOf(protocol);
  return scheme === family || (family !== "tcp" && scheme === `${family}s`);
}

function parseAuthority(text: string, authority: string): { host: string; port: number | null } {
  if (authority.includes("@")) throw invalid(text, "it holds a user name or a password");
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(authority);
  if (/\s/.test(authority)) throw invalid(text, "it has a blank in it");
  if (match === null) throw invalid(text, "its host is malformed; an IPv6 address stands in brackets");
  const typed = match[1] as string;
  // Beyond ASCII, lowercasing can turn a letter into another one: the Kelvin sign becomes a k.
  const host = parseHost(text, /^[\x20-\x7e]*$/.test(typed) ? typed.toLowerCase() : typed);
  if (match[2] === undefined || match[2] === "") return { host, port: null };
  const port = Number(match[2]);
  if (port < 1 || port > 65_535) throw invalid(text, `port ${match[2]} is not from 1 to 65535`);
  return { host, port };
}

function parseHost(text: string, host: string): string {
  if (host === "") throw invalid(text, "it has no host");
  if (host.startsWith("[")) {
    const address = host.slice(1, -1);
    if (!/^[0-9a-f:.]+$/.test(address) || !address.includes(":") || parseIp(address) === null)
      throw invalid(text, `${host} is no IPv6 address`);
    return address;
  }
  if (ENDS_IN_NUMBER.test(host)) {
    if (!isIpv4(host)) throw invalid(text, `${host} is no IPv4 address`);
    return host;
  }
  if (!isHostName(host)) throw invalid(text, `${quoteShort(host)} is no host name`);
  return host;
}

function bracket(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function invalid(text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot use ${quoteShort(text)} as the URL of an instance: ${why}`, {
    why,
  });
}
