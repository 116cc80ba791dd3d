import { parseDuration } from "@datawire/protocol";
import { type CheckMeaning, escaped, type Meaning, type Rule, seconds, tcp } from "./migrating-meaning.ts";

interface NerveService {
  readonly host: string;
  readonly port: number;
  readonly check_interval?: number;
  readonly weight?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly checks: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
}

/** nerve's own defaults: each half second, 100 ms, once up, once down; 2xx and 3xx pass, and `expect` is a text. */
export const nerve: Rule = (before) => {
  const { instance_id: name, services } = JSON.parse(before) as {
    readonly instance_id: string;
    readonly services: Readonly<Record<string, NerveService>>;
  };
  return Object.entries(services).map(([service, { host, port, check_interval, weight, labels = {}, checks }]) => {
    const { az, ...others } = labels;
    const isHttp = checks.some(({ type }) => type === "http");
    return {
      service,
      name,
      protocol: isHttp ? "http" : "tcp",
      url: `${isHttp ? "http" : "tcp"}://${host}:${port}`,
      ...(weight === undefined ? {} : { weight }),
      zone: az ?? null,
      tags: Object.entries(others).map(([key, value]) => `${key}=${value}`),
      checks: checks.map((check) => ({
        probe: nerveProbe(check, `${host}:${(check["port"] as number | undefined) ?? port}`),
        intervalMs: seconds(check_interval ?? 0.5),
        timeoutMs: seconds((check["timeout"] as number | undefined) ?? 0.1),
        rise: (check["rise"] as number | undefined) ?? 1,
        fall: (check["fall"] as number | undefined) ?? 1,
      })),
    };
  });
};

function nerveProbe(check: NerveService["checks"][number], at: string): object {
  if (check.type === "tcp") return tcp(at);
  if (check.type !== "http") return { kind: "exec" };
  const wanted = check["expect"] as string | undefined;
  return {
    kind: "http",
    url: `http://${at}${check["uri"] as string}`,
    headers: check["headers"] ?? {},
    status: [[200, 399]],
    body: wanted === undefined ? null : escaped(wanted),
  };
}

/** Of several default servers, each is an instance that stands by; `server_options` are HAProxy's, as below. */
export const synapse: Rule = (before) => {
  const { services } = JSON.parse(before) as {
    readonly services: Readonly<
      Record<
        string,
        { readonly default_servers: readonly { readonly name: string; readonly host: string; readonly port: number }[] }
      >
    >;
  };
  return Object.entries(services)
    .filter(([, { default_servers: servers }]) => servers.length > 1)
    .flatMap(([service, { default_servers: servers }]) =>
      servers.map(({ name, host, port }) => ({
        service,
        name,
        version: "standby",
        protocol: "tcp",
        url: `tcp://${host}:${port}`,
        checks: [{ probe: tcp(`${host}:${port}`), intervalMs: 2_000, timeoutMs: 2_000, rise: 2, fall: 3 }],
      })),
    );
};

interface ConsulService {
  readonly name: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly tags?: readonly string[];
  readonly meta?: { readonly version?: string };
  readonly weights?: { readonly passing: number };
  readonly check?: ConsulCheck;
  readonly checks?: readonly ConsulCheck[];
}
type ConsulCheck = Readonly<Record<string, unknown>>;

/** Consul's own defaults: ten seconds of time-out, up at once, down at once; 2xx passes. */
export const consul: Rule = (before) =>
  (JSON.parse(before) as { readonly services: readonly ConsulService[] }).services.map(consulService);

function consulService({ name, id, address, port, tags, meta, weights, check, checks }: ConsulService): Meaning {
  const all = checks ?? (check === undefined ? [] : [check]);
  return {
    service: name.toLowerCase(),
    name: id,
    version: meta?.version ?? null,
    protocol: all.some((one) => one["grpc"] !== undefined) ? "h2" : "http",
    url: `http://${address}:${port}`,
    ...(weights === undefined ? {} : { weight: weights.passing }),
    tags: tags ?? [],
    checks: all.map(consulCheck),
  };
}

function consulCheck(check: ConsulCheck): CheckMeaning {
  if (check["ttl"] !== undefined) return { probe: { kind: "ttl", ttlMs: parseDuration(check["ttl"] as string) } };
  const pace = {
    intervalMs: parseDuration(check["interval"] as string),
    timeoutMs: parseDuration((check["timeout"] as string | undefined) ?? "10s"),
    rise: (check["success_before_passing"] as number | undefined) ?? 1,
    fall: (check["failures_before_critical"] as number | undefined) ?? 1,
  };
  if (check["tcp"] !== undefined) return { probe: tcp(check["tcp"] as string), ...pace };
  if (check["args"] !== undefined) return { probe: { kind: "exec", command: check["args"] }, ...pace };
  if (check["grpc"] !== undefined) {
    const [at = "", service = ""] = (check["grpc"] as string).split("/");
    return { probe: { ...tcp(at), kind: "grpc", service }, ...pace };
  }
  const headers = Object.entries((check["header"] as Record<string, string[]> | undefined) ?? {});
  const probe = {
    kind: "http",
    url: check["http"],
    method: check["method"] ?? "GET",
    headers: Object.fromEntries(headers.map(([name, values]) => [name, values[0]])),
    status: [[200, 299]],
  };
  return { probe, ...pace };
}

/** Tags say the paths and hosts; what is not stripped is in the URL, and a host is a service of that name. */
export const fabio: Rule = (before) =>
  (JSON.parse(before) as { readonly services: readonly ConsulService[] }).services.flatMap((service) => {
    const plain = consulService(service);
    return (service.tags ?? []).map((tag): Meaning => {
      const [, host = "", port, path = ""] = /^urlprefix-([^/:]*)(?::(\d+))?(\S*)/.exec(tag) ?? [];
      const { name, checks } = plain;
      const at = `${service.address}:${service.port}`;
      if (port !== undefined)
        return { service: service.name, protocol: "tcp", url: `tcp://${at}`, proxyPort: Number(port), checks };
      if (host !== "") return { service: host, name: name as string, url: `http://${at}`, checks };
      const base = tag.includes(`strip=${path}`) ? "" : path;
      return { service: path.slice(1), name: name as string, url: `http://${at}${base}`, checks };
    });
  });

/** An application of Eureka is a service in lower case; its lease says nothing that a check does not. */
export const eureka: Rule = (before) => {
  interface Registered {
    readonly instanceId: string;
    readonly ipAddr: string;
    readonly port: { readonly $: number };
    readonly healthCheckUrl: string;
    readonly metadata: { readonly zone: string; readonly version: string };
  }
  const { applications } = JSON.parse(before) as {
    readonly applications: {
      readonly application: readonly { readonly name: string; readonly instance: readonly Registered[] }[];
    };
  };
  return applications.application.flatMap(({ name, instance }) =>
    instance.map(({ instanceId, ipAddr, port, healthCheckUrl, metadata }) => ({
      service: name.toLowerCase(),
      name: instanceId.replaceAll(":", "-"),
      version: metadata.version,
      zone: metadata.zone,
      url: `http://${ipAddr}:${port.$}`,
      checks: [{ probe: { kind: "http", url: healthCheckUrl } }],
    })),
  );
};

/** `services` of a template are those of Consul's definitions, which stand elsewhere; each has the same check. */
export const consulTemplate: Rule = () =>
  [["mailer-vm104", "10.0.4.1", 10] as const, ["mailer-vm105", "10.0.4.2", 30] as const].map(([id, address, passing]) =>
    consulService({
      name: "mailer",
      id,
      address,
      port: 8080,
      weights: { passing },
      check: { http: `http://${address}:8080/health`, interval: "10s" },
    }),
  );
