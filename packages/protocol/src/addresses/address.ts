import { ProtocolError } from "../words/errors.ts";
import { isName, parseName, quoteShort } from "../words/names.ts";
import { parseVersion, VERSION_PATTERN } from "../words/version.ts";

/** The port of a directory whose address names none. */
export const DIRECTORY_PORT = 5430;

/** The directory of every program that is given none. */
export const DEFAULT_DIRECTORY = "//localhost/directory";

/** An address as written, before anyone says what it should mean (routing rules, section 1). */
export interface Address {
  /** What stands between `//` and the first `/`, `@`, `(` or version: a service, a caller, or the host of a directory. */
  readonly authority: string;
  /** The service of the directory `authority`, where the long form is used: `//services/emitter`. */
  readonly name: string | null;
  readonly instance: string | null;
  readonly version: string | null;
}

/** What a route or a query is about: a service, some of its versions, or one of its instances. */
export interface ServiceAddress {
  readonly service: string;
  readonly instance: string | null;
  readonly version: string | null;
}

/** How a directory is reached. */
export interface DirectoryAddress {
  readonly host: string;
  readonly port: number;
  /** True for `wss://`; false for `ws://`; null where the address leaves it to the token and the settings. */
  readonly tls: boolean | null;
}

const HOST = String.raw`(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?)`;
const HOST_PORT = new RegExp(`^(${HOST})(?::(\\d{1,5}))?$`);
const HOST_WITH_PORT = new RegExp(`^${HOST}:\\d{1,5}$`);
const QUOTE_HINT = "; the shell treats ( and ) specially: quote the address, as in '//barker(2)', or write //barker:2";

/**
 * Reads the general form `//authority[/name][@instance][(version)|:version]`.
 * @throws ProtocolError `invalid_argument` that quotes the address, and says to quote it where a shell seems to have
 * cut it.
 */
export function parseAddress(text: string): Address {
  if (!text.startsWith("//")) throw notAnAddress(text);
  const { body, version } = splitVersion(text);
  const [path = "", instance = null, ...more] = body.split("@");
  if (more.length > 0) throw invalid(text, "it has more than one @");
  const slash = path.indexOf("/");
  const authority = slash < 0 ? path : path.slice(0, slash);
  const name = slash < 0 ? null : path.slice(slash + 1);
  if (authority === "") throw invalid(text, "there is no name after //");
  if (name === "") throw invalid(text, "there is no name after its last slash");
  if (instance === "") throw invalid(text, "there is no instance after @");
  if (name !== null && name.includes("/")) throw invalid(text, "it has more than one name after the directory");
  return { authority, name, instance, version };
}

/**
 * Reads the address of a service, `//barker`, `//barker(2)`, `//barker:2`, `//barker@vm102` or `//services/barker`.
 * @param directories the directories in use, as `host` or `host:port`; the long form must name one of them.
 * @throws ProtocolError `invalid_argument`
 */
export function parseServiceAddress(text: string, directories: readonly string[] = []): ServiceAddress {
  const address = parseAddress(text);
  if (address.name !== null) requireDirectory(text, address.authority, directories);
  const service = parseName(address.name ?? address.authority, "service");
  const instance = address.instance === null ? null : parseName(address.instance, "instance");
  const version = address.version === null ? null : parseVersion(address.version);
  if (instance !== null && version !== null) {
    throw invalid(text, "it names an instance and a version; one instance has one version, so leave the version out");
  }
  return { service, instance, version };
}

/**
 * Reads the address of a caller, `//monolith`, or `//*` for any caller.
 * @throws ProtocolError `invalid_argument`
 */
export function parseCallerAddress(text: string): string {
  const address = parseAddress(text);
  if (address.name !== null || address.instance !== null || address.version !== null) {
    throw invalid(text, "a caller is written //NAME, or //* for any caller");
  }
  return address.authority === "*" ? "*" : parseName(address.authority, "caller");
}

/**
 * Reads the address of a directory: `//host[:port][/directory]`, `ws://host[:port]` or `wss://host[:port]`.
 * @throws ProtocolError `invalid_argument`
 */
export function parseDirectoryAddress(text: string): DirectoryAddress {
  const match = /^(?:(ws|wss|http|https):)?\/\/([^/]*)(?:\/([^/]*))?\/?$/.exec(text);
  const wanted = "wanted //HOST[:PORT]/directory, ws://HOST[:PORT] or wss://HOST[:PORT]";
  if (match === null)
    throw invalidDirectory(text, /[?#]/.test(text) ? `it has a query or a fragment; ${wanted}` : wanted);
  const [, scheme, authority = "", name] = match;
  const rest = `${authority}/${name ?? ""}`;
  // A password may hold a slash.
  if (rest.includes("@")) {
    const why = "it holds a user name or a password; a token is given as `token_file` or DATAWIRE_TOKEN";
    throw invalidDirectory(text.replace(/\/\/.*@/s, "//***@"), `${why}; ${wanted}`);
  }
  if (name !== undefined && name !== "" && name !== "directory") {
    throw invalidDirectory(text, `${quoteShort(name)} is not "directory"; ${wanted}`);
  }
  const hostPort = HOST_PORT.exec(authority);
  if (hostPort === null) throw invalidDirectory(text, `its host or port is malformed; ${wanted}`);
  const port = hostPort[2] === undefined ? DIRECTORY_PORT : Number(hostPort[2]);
  if (port < 1 || port > 65_535) throw invalidDirectory(text, `port ${port} is not from 1 to 65535`);
  const tls = scheme === undefined ? null : scheme === "wss" || scheme === "https";
  return { host: (hostPort[1] as string).toLowerCase(), port, tls };
}

/** The address of a directory in its plain form: `//host/directory`, with the port where it is not the default. */
export function formatDirectoryAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return `//${hostPort(host, port)}/directory`;
}

/** The authority under which addresses may name a directory: `services`, or `services:5431`. */
export function hostPort(host: string, port: number): string {
  return port === DIRECTORY_PORT ? host : `${host}:${port}`;
}

/** Writes an address in its canonical form: `//barker`, `//barker(2)` or `//barker@vm102`. */
export function formatServiceAddress(address: ServiceAddress): string {
  if (address.instance !== null) return `//${address.service}@${address.instance}`;
  return address.version === null ? `//${address.service}` : `//${address.service}(${address.version})`;
}

/** Splits a version, in either of its two spellings, off the end of an address. */
function splitVersion(text: string): { body: string; version: string | null } {
  const body = text.slice(2);
  if (/[()\\'"`]/.test(body)) return splitParentheses(text, body);
  const colon = body.lastIndexOf(":");
  // `//host:5430/directory` has a colon too; a version is never followed by a path, and an IPv6 host is in brackets.
  if (colon < 0 || body.indexOf("/", colon) >= 0 || body.endsWith("]")) return { body, version: null };
  const version = body.slice(colon + 1);
  if (version === "") throw invalid(text, "there is no version after the colon");
  if (version.includes("@"))
    throw invalid(text, "an @ stands behind the colon; one instance has one version, so leave the version out");
  return { body: body.slice(0, colon), version };
}

function splitParentheses(text: string, body: string): { body: string; version: string | null } {
  const match = /^([^()\\'"`]+)\(([^()\\'"`]*)\)$/.exec(body);
  if (match === null) throw invalid(text, `its parentheses or quotes do not form (VERSION) at its end${QUOTE_HINT}`);
  const [, rest = "", version = ""] = match;
  if (version === "") throw invalid(text, `there is no version between the parentheses${QUOTE_HINT}`);
  return { body: rest, version };
}

function requireDirectory(text: string, authority: string, directories: readonly string[]): void {
  const normal = (host: string): string => {
    const lower = host.toLowerCase();
    return HOST_WITH_PORT.test(lower) ? lower : `${lower}:${DIRECTORY_PORT}`;
  };
  if (directories.some((directory) => normal(directory) === normal(authority))) return;
  const inUse = directories.length === 0 ? "none is in use" : `in use: ${directories.join(", ")}`;
  throw invalid(text, `${quoteShort(authority)} is none of the directories (${inUse})`);
}

function notAnAddress(text: string): ProtocolError {
  if (/^\([^)]*\)?$/.test(text)) return invalid(text, `it looks like the version of an address${QUOTE_HINT}`);
  const bare = text.replace(/^\/?/, "");
  const host = /^\w+:\/\/([^/:@(]+)/.exec(text)?.[1]; // of a URL
  const [word = ""] = bare.split(/[@(:]/, 1);
  const plain = host ?? word;
  const example = isName(plain) && VERSION_PATTERN.test(plain) ? `, as in //${host ?? bare}` : ", as in //barker";
  return invalid(text, `an address begins with //${example}`);
}

function invalid(text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot read address ${quoteShort(text)}: ${why}`);
}

function invalidDirectory(text: string, why: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot read directory address ${quoteShort(text)}: ${why}`);
}
