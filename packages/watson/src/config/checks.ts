import { type InstanceUrl, parseInstanceUrl, type ServiceProtocol } from "@datawire/protocol";
import type { ListenAddress } from "@datawire/runtime";
import type { AmqpProbe, Check, ProbeSettings, TlsCheck } from "../model/service-definition.ts";
import type { CheckSource, LivenessDefaults } from "./liveness.ts";
import type { HttpTarget, TcpTarget } from "./targets.ts";

const BUILT_IN = {
  intervalMs: 3_000,
  timeoutMs: 1_000,
  rise: 1,
  fall: 2,
  recheckMs: 100,
  watch: "port",
} as const;

/** What a check is about, apart from what is written in its own entry. */
export interface CheckContext {
  readonly service: string;
  readonly url: string;
  readonly protocol: ServiceProtocol;
  /** How the instance itself is verified. */
  readonly tls: TlsCheck;
  readonly defaults: LivenessDefaults;
  /** The admin port of the router that consumers are counted at. */
  readonly router: ListenAddress;
}

/**
 * Makes the checks of an instance from its service file; without any, it gets the default check.
 * @throws CheckError that says which entry and key cannot be used.
 */
export function createChecks(sources: readonly CheckSource[] | undefined, context: CheckContext): Check[] {
  const ids = new Set<string>();
  return (sources ?? [{}]).map((source, index) => {
    const probe = createProbe(source, index, context);
    let id = JSON.stringify(probe);
    while (ids.has(id)) id += "'";
    ids.add(id);
    return { id, probe, ...rhythmOf(source, context.defaults, probe) };
  });
}

/** A value that is well formed and makes no sense where it stands. */
export class CheckError extends Error {
  /** Of the list of checks, from 0. */
  readonly index: number;
  readonly key: string;

  constructor(index: number, key: string, message: string) {
    super(message);
    this.name = "CheckError";
    this.index = index;
    this.key = key;
  }
}

function rhythmOf(source: CheckSource, defaults: LivenessDefaults, probe: ProbeSettings): Omit<Check, "id" | "probe"> {
  const rise = source.rise ?? defaults.rise ?? BUILT_IN.rise;
  if (probe.kind === "ttl") {
    // One missing heartbeat is all the evidence that there will ever be.
    return { rise, fall: 1, intervalMs: probe.ttlMs, timeoutMs: probe.ttlMs, recheckMs: probe.ttlMs, watch: "none" };
  }
  return {
    rise,
    fall: source.fall ?? defaults.fall ?? BUILT_IN.fall,
    intervalMs: source.interval ?? defaults.interval ?? BUILT_IN.intervalMs,
    timeoutMs: source.timeout ?? defaults.timeout ?? BUILT_IN.timeoutMs,
    recheckMs: source.recheck ?? defaults.recheck ?? BUILT_IN.recheckMs,
    watch:
      probe.kind === "exec" || probe.kind === "consumers" ? "none" : (source.watch ?? defaults.watch ?? BUILT_IN.watch),
  };
}

function createProbe(source: CheckSource, index: number, context: CheckContext): ProbeSettings {
  const { url, protocol, tls: own } = context;
  const instance = parseInstanceUrl(url, protocol);
  const asTraffic = ({ host, port }: TcpTarget): boolean => host === instance.host && port === instance.port;
  const tlsOf = (target: TcpTarget): TlsCheck => {
    const usual = asTraffic(target) ? own : USUAL_TLS;
    return { ...usual, verify: source.tls_verify ?? usual.verify };
  };
  if (source.ttl !== undefined) return { kind: "ttl", ttlMs: source.ttl };
  if (source.exec !== undefined) return { kind: "exec", command: source.exec as [string, ...string[]] };
  if (source.consumers !== undefined) {
    const { service: address, router } = context;
    return { kind: "consumers", address, consumers: source.consumers, ...router };
  }
  if (source.tcp !== undefined) return { kind: "tcp", ...source.tcp, asTraffic: asTraffic(source.tcp) };
  if (source.grpc !== undefined) {
    const { grpc, grpc_service: service = "" } = source;
    return { kind: "grpc", ...grpc, asTraffic: asTraffic(grpc), tls: tlsOf(grpc), service };
  }
  if (source.amqp !== undefined || (protocol === "amqp" && source.http === undefined)) {
    requireNoHttpKeys(source, index, AMQP_UNUSED, "the service is of amqp, whose check is a connection");
    return { ...amqpProbe(source, index, context, instance), tls: tlsOf(instance) };
  }
  if (protocol === "tcp" && source.http === undefined) {
    requireNoHttpKeys(source, index, HTTP_KEYS, "the service is of tcp, whose check is a connection");
    const { host, port } = instance;
    return { kind: "tcp", host, port, asTraffic: true };
  }
  const checked = httpUrl(source.http, instance, index);
  const target = targetOf(new URL(checked));
  return {
    kind: "http",
    url: checked,
    asTraffic: asTraffic(target),
    method: source.method ?? "GET",
    headers: source.headers ?? {},
    status: source.expect?.status ?? [[200, 299]],
    body: source.expect?.body ?? null,
    tls: tlsOf(target),
    http2: protocol === "h2",
  };
}

/** The keys of a check that only HTTP has a use for, TLS apart, and those that a connection without TLS has none for. */
const AMQP_UNUSED = ["method", "headers", "expect"] as const;
const HTTP_KEYS = [...AMQP_UNUSED, "tls_verify"] as const;

function requireNoHttpKeys(
  source: CheckSource,
  index: number,
  keys: readonly (typeof HTTP_KEYS)[number][],
  why: string,
): void {
  const unused = keys.find((key) => source[key] !== undefined);
  if (unused === undefined) return;
  const wanted = "wanted `http: http://HOST:PORT/path` beside it";
  throw new CheckError(index, unused, `Cannot check so: ${why}; ${wanted}`);
}

function amqpProbe(
  source: CheckSource,
  index: number,
  { protocol, service }: CheckContext,
  { scheme, host, port, base }: InstanceUrl,
): Omit<AmqpProbe, "tls"> {
  if (protocol !== "amqp") {
    const message = `Cannot check so: the service speaks ${protocol}; wanted protocol: amqp and a URL such as amqp://HOST:PORT`;
    throw new CheckError(index, "amqp", message);
  }
  const address = source.amqp === "attach" ? base.slice(1) || service : null;
  return { kind: "amqp", host, port, secure: scheme === "amqps", asTraffic: true, address };
}

const USUAL_TLS: TlsCheck = { verify: true, serverName: null };

function targetOf({ hostname, port, protocol }: URL): TcpTarget {
  return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) || (protocol === "https:" ? 443 : 80) };
}

/** Where an http check goes: a URL of its own, a path on the instance's host, or the default. */
function httpUrl(http: HttpTarget | undefined, instance: InstanceUrl, index: number): string {
  const origin = `${instance.scheme}://${instance.authority}`;
  if (http === undefined) return `${origin}${instance.base}/liveness_check`;
  if (http.kind === "url") return http.url;
  if (instance.scheme === "http" || instance.scheme === "https") return `${origin}${http.path}`;
  const message = `Cannot check the path ${JSON.stringify(http.path)} of an instance that speaks ${instance.scheme}: wanted a URL such as http://HOST:PORT${http.path}`;
  throw new CheckError(index, "http", message);
}
