import { type InstanceUrl, parseInstanceUrl, type ServiceProtocol } from "@datawire/protocol";
import type { Check, ProbeSettings } from "../core/instance.ts";
import type { CheckSource, LivenessDefaults } from "./liveness.ts";

export const BUILT_IN = {
  intervalMs: 3_000,
  timeoutMs: 1_000,
  rise: 1,
  fall: 2,
  recheckMs: 100,
  watch: "port",
} as const;

/** What a check is about, apart from what is written in its own entry. */
export interface CheckContext {
  readonly url: string;
  readonly protocol: ServiceProtocol;
  readonly defaults: LivenessDefaults;
}

/**
 * Makes the checks of an instance of what its file says; nothing at all means the default check.
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
    // One heartbeat that stays out is the whole evidence that there will ever be.
    return { rise, fall: 1, intervalMs: probe.ttlMs, timeoutMs: probe.ttlMs, recheckMs: probe.ttlMs, watch: "none" };
  }
  return {
    rise,
    fall: source.fall ?? defaults.fall ?? BUILT_IN.fall,
    intervalMs: source.interval ?? defaults.interval ?? BUILT_IN.intervalMs,
    timeoutMs: source.timeout ?? defaults.timeout ?? BUILT_IN.timeoutMs,
    recheckMs: source.recheck ?? defaults.recheck ?? BUILT_IN.recheckMs,
    watch: probe.kind === "exec" ? "none" : (source.watch ?? defaults.watch ?? BUILT_IN.watch),
  };
}

function createProbe(source: CheckSource, index: number, { url, protocol }: CheckContext): ProbeSettings {
  const fail = (key: string, message: string): CheckError => new CheckError(index, key, message);
  const parsed = parseInstanceUrl(url, protocol);
  if (source.ttl !== undefined) return { kind: "ttl", ttlMs: source.ttl };
  if (source.exec !== undefined) return { kind: "exec", command: source.exec as [string, ...string[]] };
  if (source.tcp !== undefined)
    return { kind: "tcp", ...hostPortOf(source.tcp, () => fail("tcp", wantedHostPort(source.tcp))) };
  if (source.grpc !== undefined) {
    const [, scheme, rest = ""] = /^(?:(grpcs?):\/\/)?(.*)$/s.exec(source.grpc) ?? [];
    return {
      kind: "grpc",
      ...hostPortOf(rest, () => fail("grpc", wantedHostPort(source.grpc))),
      tls: scheme === "grpcs",
      tlsVerify: source.tls_verify ?? true,
      service: source.grpc_service ?? "",
    };
  }
  if (protocol === "tcp" && source.http === undefined) return { kind: "tcp", host: parsed.host, port: parsed.port };
  return {
    kind: "http",
    url: httpUrl(source.http, parsed, (message) => fail("http", message)),
    method: source.method ?? "GET",
    headers: source.headers ?? {},
    status: source.expect?.status ?? [[200, 299]],
    body: source.expect?.body ?? null,
    tlsVerify: source.tls_verify ?? true,
    http2: protocol === "h2",
  };
}

/** Where an http check goes: a URL of its own, a path on the instance's host, or the default. */
function httpUrl(http: string | undefined, instance: InstanceUrl, fail: (message: string) => Error): string {
  const origin = `${instance.scheme}://${instance.authority}`;
  if (http === undefined) return `${origin}${instance.base}/liveness_check`;
  if (http.startsWith("/")) {
    if (instance.scheme === "tcp")
      throw fail(
        `${JSON.stringify(http)} is a path, and the instance speaks tcp: wanted a URL like http://HOST:PORT${http}`,
      );
    return plainUrl(`${origin}${http}`) ?? unusable(http, fail);
  }
  return plainUrl(http) ?? unusable(http, fail);
}

function unusable(http: string, fail: (message: string) => Error): never {
  throw fail(
    `${JSON.stringify(http)} cannot be checked: wanted a path such as /health, or a URL such as http://HOST:PORT/health`,
  );
}

function plainUrl(text: string): string | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.username === "" && url.password === "" && url.hostname !== "" ? url.href.replace(/#.*$/s, "") : null;
}

const wantedHostPort = (text: string | undefined): string =>
  `${JSON.stringify(text)} cannot be checked: wanted HOST:PORT`;

function hostPortOf(text: string, fail: () => Error): { host: string; port: number } {
  try {
    const { host, port } = parseInstanceUrl(`tcp://${text}`, "tcp");
    return { host, port };
  } catch {
    throw fail();
  }
}
