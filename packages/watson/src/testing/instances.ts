import type { Check, ServiceDefinition } from "../model/service-definition.ts";

/** A check for tests: every second, three failures to fall. */
export function testCheck(over: Partial<Check> = {}): Check {
  return {
    id: "http",
    probe: { kind: "tcp", host: "127.0.0.1", port: 1, asTraffic: true },
    intervalMs: 1_000,
    timeoutMs: 500,
    rise: 1,
    fall: 3,
    recheckMs: 100,
    watch: "none",
    ...over,
  };
}

/** An instance for tests, `barker@a` of the file `barker.yaml`. */
export function testDefinition(over: Partial<Omit<ServiceDefinition, "key">> = {}): ServiceDefinition {
  const { service = "barker", name = "a" } = over;
  return {
    version: "1",
    url: "http://127.0.0.1:1",
    protocol: "http",
    weight: 100,
    zone: null,
    tags: [],
    proxyPort: null,
    drainMs: 10_000,
    tls: { verify: true, serverName: null },
    directory: null,
    checks: [testCheck()],
    source: { file: "barker.yaml", line: 1, column: 1 },
    ...over,
    key: `${service}@${name}`,
    service,
    name,
  };
}

/** The wanted set of some instances. */
export function wantedSet(...instances: readonly ServiceDefinition[]): Map<string, ServiceDefinition> {
  return new Map(instances.map((instance) => [instance.key, instance]));
}
