import { hostname } from "node:os";
import {
  ConfigError,
  findSystemCa,
  isLoopback,
  type ListenAddress,
  listenError,
  tryListen,
  VERSION,
} from "@datawire/runtime";
import { checkFiles } from "./check.ts";
import { type HaproxyFeatures, takesInstances } from "../core/model/haproxy-version.ts";
import { digest } from "../core/model/hash.ts";
import { formatEndpoint } from "../core/render/server-options.ts";
import type { RenderSettings } from "../core/render/template-view.ts";
import { findHaproxy, type HaproxyBinary } from "./haproxy-binary.ts";
import { connectionsAllowed } from "./limits.ts";
import { hasIpv6Loopback } from "./ports.ts";
import { LATENCIES_FD, SPANS_FD } from "../haproxy/log-pipe.ts";
import type { RunDir } from "../haproxy/run-dir.ts";
import { loadTemplate, type Template } from "./template.ts";
import type { SherlockSettings } from "../config/settings.ts";
import { HOST_PATTERN } from "../config/settings-schema.ts";

/** What is known of the proxy before it runs. */
export interface Proxy {
  readonly binary: HaproxyBinary;
  readonly template: Template;
  readonly listen: readonly ListenAddress[];
  readonly settings: RenderSettings;
  /** Says, by its value, everything of the configuration that is no part of a plan. */
  readonly shared: string;
}

const DEFAULT_PORT = 5_432;

/** How many new groups of instances find room before a reload. Each costs 15 kB, and no request anything. */
const SPARES = 64;

/** Finds HAProxy and the template. @throws ConfigError for those that the settings name, Error that says what is missing. */
export async function prepareProxy(settings: SherlockSettings, dir: RunDir): Promise<Proxy> {
  const problems = await checkFiles(settings);
  if (problems.length > 0) throw new ConfigError(problems);
  const binary = await findHaproxy(settings.haproxy.command, settings.env["PATH"] ?? "");
  const template = await loadTemplate(settings.haproxy.template);
  const listen = settings.listen === null ? defaultListen() : [settings.listen];
  const renderSettings: RenderSettings = {
    version: VERSION,
    caller: settings.name,
    listen: listen.map(({ host, port }) => formatEndpoint(host, port)),
    maxConnections: await connectionsAllowed(settings.haproxy.maxConnections),
    hardStopAfter: `${settings.haproxy.hardStopAfterMs}ms`,
    accessLog: settings.accessLog,
    latencies: settings.percentiles === null ? null : { fd: LATENCIES_FD, oneIn: settings.percentiles },
    spans: settings.spans === null ? null : { fd: SPANS_FD, of: settings.spans },
    explain: settings.explain,
    sockets: dir.sockets,
    files: { serverState: dir.serverState },
    maps: dir.maps,
    caFile: await caFileFor(binary, settings.haproxy.caFile),
    features: binary.version.features,
    headerBytesMax: settings.haproxy.headerBytesMax,
    spares: sparesFor(binary.version.features),
    browserHosts: listen.every(({ host }) => isLoopback(host)) ? browserHosts(settings.hosts) : null,
  };
  const shared = digest(JSON.stringify([template.source, renderSettings, binary.version.text]));
  return { binary, template, listen, settings: renderSettings, shared };
}

/** How many spare backends an HAProxy has: none where a new server comes with a reload anyway. */
export function sparesFor(features: HaproxyFeatures): number {
  return takesInstances(features) ? SPARES : 0;
}

/** Two seconds of refused connections, or a start that fails in HAProxy's words, are saved by trying first. */
export async function requirePorts({ listen }: Pick<Proxy, "listen">): Promise<void> {
  for (const address of listen) {
    const error = await tryListen(address);
    if (error !== null) throw listenError(error, address, "--listen");
  }
}

/** What a rendered configuration can do, as a user's template may leave parts out. */
export interface Abilities {
  /** Whether it listens on the runtime socket. */
  readonly runtimeCommands: boolean;
  /** Whether it listens for what earlier workers pass on. */
  readonly handsOver: boolean;
}

/** What the rendered configuration lets Sherlock do without a reload. */
export function abilitiesOf({ settings: { sockets } }: Pick<Proxy, "settings">, config: string): Abilities {
  return {
    runtimeCommands: config.includes(sockets.runtime),
    handsOver: config.includes(`bind unix@${sockets.handover} `),
  };
}

/** Whether spare backends of a rendered configuration can be taken: a user's template may not look for what stands in one. */
export function hasSpares({ settings: { maps } }: Pick<Proxy, "settings">, config: string): boolean {
  return config.includes(maps.carried);
}

/** Whether a rendered configuration tells latencies: a user's template may not. */
export function tellsLatencies(config: string): boolean {
  return config.includes(`log fd@${LATENCIES_FD} `);
}

/** Whether a rendered configuration tells of requests that become spans: a user's template may not. */
export function tellsSpans(config: string): boolean {
  return config.includes(`log fd@${SPANS_FD} `);
}

/** Whether a rendered configuration tells requests why they went where they did: a user's template may not. */
export function tellsReasons({ settings: { maps } }: Pick<Proxy, "settings">, config: string): boolean {
  return config.includes(maps.reasons) && config.includes(maps.places);
}

/** What `ca-file` says: of an HAProxy that does not know what the system trusts, the file of that. */
async function caFileFor({ version }: HaproxyBinary, caFile: string | null): Promise<string> {
  if (caFile !== null) return caFile;
  return (version.features.systemCa ? null : await findSystemCa()) ?? "@system-ca";
}

/** By which names the browsers of this machine may ask: what it calls itself, whole and in short, and what was set. */
function browserHosts(hosts: readonly string[]): string[] {
  const own = hostname().toLowerCase();
  const names = [own, own.split(".")[0] as string].filter((name) => HOST_PATTERN.test(name));
  return [...new Set(["localhost", ...names, ...hosts])];
}

function defaultListen(): ListenAddress[] {
  const v4 = { host: "127.0.0.1", port: DEFAULT_PORT };
  return hasIpv6Loopback() ? [v4, { host: "::1", port: DEFAULT_PORT }] : [v4];
}
