import { hostname } from "node:os";
import {
  type DirectoryAddress,
  isName,
  NAME_RULE,
  own,
  parseDirectoryAddress,
  parseName,
  parseToken,
} from "@datawire/protocol";
import type { BreakerSettings } from "../session/breaker.ts";
import { type Environment, SANDBOX } from "../session/context.ts";
import { MdkError, translating } from "../session/mdk-error.ts";
import { requireKinds } from "./option-kinds.ts";
import { requireZone } from "../connection/registration.ts";
import { type ListedNode, parseNodes } from "../connection/sources/node-list.ts";

/** What an application says of itself; what it leaves out comes from the variable, else from the default. */
export interface MdkOptions {
  /** The caller that routes know it by. `DATAWIRE_NAME`; default: the host name. */
  readonly name?: string;
  /**
   * Each is registered with; a list inside the list is one replicated directory. `DATAWIRE_DIRECTORY`, several separated
   * by commas, else host and port of `MDK_SERVER_URL`; default: `//localhost/directory`.
   */
  readonly directories?: readonly (string | readonly string[])[];
  /** What it proves itself with. `DATAWIRE_TOKEN`; default: none. */
  readonly token?: string;
  /** File with the token; read again when a directory refuses the one that was in it. */
  readonly tokenFile?: string;
  /** `ca`: the authority that signed the certificates of the directory, in PEM or as the path of a file. */
  readonly tls?: { readonly ca?: string };
  /** `NAME`, or `FALLBACK:NAME`. `MDK_ENVIRONMENT`; default: `sandbox`. */
  readonly environment?: string;
  /** `static:nodes=JSON` or `synapse:path=FOLDER` instead of a directory. `MDK_DISCOVERY_SOURCE`; default: the directory. */
  readonly source?: string;
  /** The zone whose instances it prefers. Default: none. */
  readonly zone?: string;
  /** File that keeps the last table, for a start while the directory is away. Default: none. */
  readonly table?: string;
  /** Hosts besides services, instances and loopback that are sent the context: `api.example.com`, `*.example.com`. */
  readonly propagate?: readonly string[];
  /** Failures in a row that trip a breaker, 0 for never, and seconds until it tries again. Default: 3 and 30. */
  readonly breaker?: { readonly failures?: number; readonly pauseSeconds?: number };
}

/** Where the table comes from. */
export type SourceSettings =
  | { readonly kind: "directory" }
  | { readonly kind: "static"; readonly nodes: readonly ListedNode[] }
  | { readonly kind: "synapse"; readonly folder: string };

/** All settings, read and checked. */
export interface MdkSettings {
  readonly name: string;
  readonly directories: readonly (readonly DirectoryAddress[])[];
  readonly token: string | null;
  readonly tokenFile: string | null;
  readonly ca: string | null;
  readonly environment: Environment;
  readonly source: SourceSettings;
  readonly zone: string | null;
  readonly table: string | null;
  readonly propagate: readonly string[];
  readonly breaker: BreakerSettings;
  readonly experimental: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

const DEFAULT_DIRECTORY = "//localhost/directory";

/** Reads options and variables. @throws MdkError `invalid_argument` */
export function readSettings(options: MdkOptions, variables: Variables): MdkSettings {
  requireKinds({ ...options });
  const variable = (name: string): string | undefined => own(variables, name) || undefined;
  const ofVariable = options.tokenFile === undefined ? tokenOf(variable("DATAWIRE_TOKEN")) : null;
  return {
    name: readName(options.name ?? variable("DATAWIRE_NAME")),
    directories: readDirectories(options.directories, variable),
    // What is wrong with it is told by `ready` and all else that waits, as of one that a directory refuses.
    token: options.token ?? ofVariable,
    tokenFile: options.tokenFile ?? null,
    ca: options.tls?.ca ?? null,
    environment: readEnvironment(options.environment ?? variable("MDK_ENVIRONMENT")),
    source: readSource(options.source ?? variable("MDK_DISCOVERY_SOURCE")),
    zone: options.zone === undefined ? null : requireZone(options.zone),
    table: options.table ?? null,
    propagate: (options.propagate ?? []).map(requirePattern),
    breaker: readBreaker(options.breaker ?? {}),
    experimental: variable("MDK_EXPERIMENTAL") !== undefined,
  };
}

/**
 * The token of the variable. An original MDK wants any text there, so one that is no token of a directory is none: it is
 * sent nowhere, as it may be part of one.
 */
function tokenOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    parseToken(text);
    return text;
  } catch {
    process.emitWarning("DATAWIRE_TOKEN is no token of a directory, and is not sent", { code: "MDK_TOKEN" });
    return null;
  }
}

function readName(name: string | undefined): string {
  if (name !== undefined) return translating(() => parseName(name, "caller"));
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, "-")
    .replaceAll(/^[.-]+|[.-]+$/g, "")
    .slice(0, 100);
  return isName(host) ? host : "localhost";
}

function readDirectories(
  given: MdkOptions["directories"],
  variable: (name: string) => string | undefined,
): DirectoryAddress[][] {
  const text = variable("DATAWIRE_DIRECTORY");
  const fallback = text?.split(/[\s,]+/).filter((part) => part !== "") ?? [addressOf(variable("MDK_SERVER_URL"))];
  const lists = (given ?? fallback).map((one) => (typeof one === "string" ? [one] : [...one]));
  if (lists.length === 0 || lists.some((list) => list.length === 0))
    throw refusal("directories", JSON.stringify(given), "one address or more, in each list too");
  return lists.map((list) => list.map((address) => translating(() => parseDirectoryAddress(address))));
}

/** The directory behind the URL that an original MDK connects to. */
function addressOf(serverUrl: string | undefined): string {
  if (serverUrl === undefined) return DEFAULT_DIRECTORY;
  const url = URL.canParse(serverUrl) ? new URL(serverUrl) : null;
  if (url === null || !["ws:", "wss:"].includes(url.protocol))
    throw refusal("MDK_SERVER_URL", JSON.stringify(serverUrl), "ws://HOST:PORT/rtp");
  // Without a port, a URL means that of its scheme.
  const port = url.port === "" ? (url.protocol === "ws:" ? "80" : "443") : url.port;
  return `${url.protocol}//${url.hostname}:${port}`;
}

/** `FALLBACK:NAME` as the original has it. */
function readEnvironment(text: string | undefined): Environment {
  if (text === undefined) return SANDBOX;
  const parts = text.split(":");
  const [first = "", second] = parts;
  if (parts.length > 2 || !parts.every(isName))
    throw refusal("environment", JSON.stringify(text), `NAME or FALLBACK:NAME, each ${NAME_RULE}`);
  return second === undefined ? { name: first, fallbackName: null } : { name: second, fallbackName: first };
}

function readSource(text: string | undefined): SourceSettings {
  if (text === undefined || text.startsWith("datawire:")) return { kind: "directory" };
  const [, kind, rest = ""] = /^(static:nodes|synapse:path)=(.*)$/s.exec(text) ?? [];
  if (kind === "static:nodes") return { kind: "static", nodes: parseNodes(rest) };
  if (kind === "synapse:path" && rest !== "") return { kind: "synapse", folder: rest };
  throw refusal("source", JSON.stringify(text), "static:nodes=JSON or synapse:path=FOLDER");
}

function readBreaker({ failures = 3, pauseSeconds = 30 }: NonNullable<MdkOptions["breaker"]>): BreakerSettings {
  if (!Number.isInteger(failures) || failures < 0)
    throw refusal("breaker.failures", failures, "0 or a whole number above");
  if (!Number.isFinite(pauseSeconds) || pauseSeconds <= 0)
    throw refusal("breaker.pauseSeconds", pauseSeconds, "more than 0");
  return { failures, pauseMs: pauseSeconds * 1_000 };
}

/** A host, or `*.` and a domain. */
function requirePattern(pattern: string): string {
  if (typeof pattern === "string" && /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(pattern))
    return pattern.toLowerCase();
  throw refusal("propagate", JSON.stringify(pattern), "a host such as api.example.com, or *.example.com");
}

function refusal(name: string, found: unknown, wanted: string): MdkError {
  return new MdkError("invalid_argument", `Cannot use ${String(found)} as ${name}: wanted ${wanted}`);
}
