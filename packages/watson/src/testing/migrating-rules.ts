import { parseDuration } from "@datawire/protocol";
import { parseYamlFile } from "@datawire/runtime";
import { expect } from "vitest";
import { z } from "zod";

/**
 * The rules of docs/migrating.md, as code: each reads an old configuration by its own program's defaults, and says what
 * the service file that it became has to mean.
 */
/** What counts of an instance; what a rule does not name, it leaves open. */
export interface Meaning {
  readonly service: string;
  readonly name?: string;
  readonly version?: string | null;
  readonly protocol?: string;
  readonly url: string;
  readonly weight?: number;
  readonly zone?: string | null;
  readonly tags?: readonly string[];
  readonly proxyPort?: number;
  readonly checks: readonly CheckMeaning[];
}

interface CheckMeaning {
  readonly probe: object;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly rise?: number;
  readonly fall?: number;
}

/** What the text of an old configuration has to mean. */
export type Rule = (before: string) => readonly Meaning[];

const seconds = (value: number): number => Math.round(value * 1_000);
const escaped = (value: string): string => value.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
const tcp = (at: string) => ({ kind: "tcp", host: at.split(":")[0], port: Number(at.split(":")[1]) });

interface NerveService {
  readonly host: string;
  readonly port: number;
  readonly check_interval?: number;
  readonly weight?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly checks: readonly (Readonly<Record<string, unknown>> & { readonly type: string })[];
}

/** nerve's own defaults: each half second, 100 ms, once up, once down; 2xx and 3xx pass, and `expect` is a text. */
const nerve: Rule = (before) => {
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
const synapse: Rule = (before) => {
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
const consul: Rule = (before) =>
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
const fabio: Rule = (before) =>
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

interface TraefikService {
  readonly loadBalancer?: {
    readonly servers: readonly { readonly url: string }[];
    readonly healthCheck?: {
      readonly path: string;
      readonly interval?: string;
      readonly timeout?: string;
      readonly hostname?: string;
    };
  };
}

/** Traefik's own defaults: 30 s, 5 s, out at the first failure; 2xx and 3xx pass. What has no check stands by. */
const traefik: Rule = (before) => {
  const parsed = parseYamlFile(before, "traefik.yaml", { schema: z.unknown(), env: {} });
  const { http } = (parsed.ok ? parsed.value : {}) as {
    readonly http: { readonly services: Readonly<Record<string, TraefikService>> };
  };
  const names: Readonly<Record<string, Pick<Meaning, "service" | "version">>> = {
    "pay-1": { service: "pay", version: "1" },
    "pay-2": { service: "pay", version: "2" },
    "portal-main": { service: "portal.example.com", version: null },
  };
  return Object.entries(http.services).flatMap(([name, { loadBalancer }]) => {
    const { healthCheck, servers } = loadBalancer ?? {};
    if (healthCheck === undefined) return [];
    const { path, interval = "30s", timeout = "5s", hostname } = healthCheck;
    return (servers ?? []).map(({ url }): Meaning => {
      const headers = hostname === undefined ? {} : { Host: hostname };
      const probe = { kind: "http", url: `${url}${path}`, headers, status: [[200, 399]] };
      const pace = { intervalMs: parseDuration(interval), timeoutMs: parseDuration(timeout), rise: 1, fall: 1 };
      return { service: "", ...names[name], url, checks: [{ probe, ...pace }] };
    });
  });
};

/** An application of Eureka is a service in lower case; its lease says nothing that a check does not. */
const eureka: Rule = (before) => {
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

/** HAProxy's own defaults: 2 s, up at the second, down at the third, `timeout check` or `inter`; 2xx and 3xx pass. */
const haproxy: Rule = (before) =>
  before
    .split(/^(?=backend |listen )/m)
    .slice(1)
    .flatMap((section) => {
      const word = (pattern: RegExp): string | undefined => pattern.exec(section)?.[1];
      const checked = [...section.matchAll(/^ +server (\S+) (\S+?):(\d+)(.*)$/gm)].filter(
        ([line]) => !line.includes("no-check"),
      );
      return checked.map(([, name = "", host = "", port = "", options = ""]): Meaning => {
        const said = `${options} ${word(/default-server (.*)/) ?? ""}`;
        const option = (key: string): string | undefined => new RegExp(`\\b${key} (\\S+)`).exec(said)?.[1];
        const at = `${host}:${option("port") ?? port}`;
        const isTcp = !/httpchk/.test(section);
        const asks = word(/option httpchk (\S+) /) ?? word(/ meth (\S+)/) ?? "GET";
        const path = word(/option httpchk \S+ (\S+)/) ?? word(/ uri (\S+)/);
        const status = word(/expect status (\d+)/);
        const string = word(/expect string "([^"]*)"/);
        const http = {
          kind: "http",
          url: `http://${at}${path}`,
          method: asks,
          headers: word(/ hdr Host (\S+)/) === undefined ? {} : { Host: word(/ hdr Host (\S+)/) },
          status:
            string !== undefined
              ? [[100, 599]]
              : status === undefined
                ? [[200, 399]]
                : [[Number(status), Number(status)]],
          body: string ?? null,
        };
        const pace = {
          ...(option("inter") === undefined ? {} : { intervalMs: parseDuration(option("inter") as string) }),
          rise: Number(option("rise") ?? 2),
          fall: Number(option("fall") ?? 3),
        };
        // A server without `check` was never looked at; here a connection is the least that is asked.
        const isChecked = /\bcheck\b/.test(said);
        const probe = !isTcp ? http : /-check/.test(section) ? { kind: "exec" } : tcp(at);
        return {
          service: expect.any(String) as string,
          name,
          url: expect.stringContaining(`${host}:${port}`) as string,
          ...(option("weight") === undefined ? {} : { weight: Number(option("weight")) }),
          checks: [{ probe, ...(isChecked ? pace : {}) }],
        };
      });
    });

/** `services` of a template are those of Consul's definitions, which stand elsewhere; each has the same check. */
const consulTemplate: Rule = () =>
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

/** By the name of the file that the rule reads. */
export const RULES: Readonly<Record<string, Rule>> = {
  nerve,
  synapse,
  consul,
  "consul-template": consulTemplate,
  "haproxy-shop": haproxy,
  "haproxy-routing": haproxy,
  "haproxy-tcp": haproxy,
  fabio,
  traefik,
  eureka,
};
