import { type Answer, endpoints, type Explanation, type InstanceListing } from "@datawire/api";
import { generationOf } from "@datawire/protocol";
import { type Traffic, trafficOf } from "../../core/traffic.ts";
import type { Question } from "../../data/entry.ts";

/** All that is known of one service but its traffic. */
export interface ServiceFacts {
  readonly service: Answer<"showService">["service"];
  readonly settings: Answer<"showService">["settings"];
  readonly distributions: readonly Explanation[];
  readonly routes: Answer<"listRoutes">["routes"];
}

/** The instance of a service with its share of any caller's requests and its traffic. */
export interface InstanceRow extends Traffic {
  readonly key: string;
  readonly instance: InstanceListing;
  /** Of any caller's requests, 0 to 100. */
  readonly share: number;
}

/** Instances of one version. */
export interface VersionGroup {
  readonly version: string;
  readonly rows: readonly InstanceRow[];
}

/** What is known of one service. */
export function serviceQuestion(name: string): Question<ServiceFacts> {
  return {
    key: `service/${name}`,
    topic: `service/${name}`,
    everyMs: 700,
    ask: async (client) => {
      const [shown, routes] = await Promise.all([
        client.ask(endpoints.showService, { params: { service: name } }),
        client.ask(endpoints.listRoutes),
      ]);
      return {
        service: shown.service,
        settings: shown.settings,
        distributions: shown.distributions ?? [],
        routes: routes.routes.filter(({ service }) => service === name),
      };
    },
  };
}

/** The instances of a service by version, the newest version first. */
export function versionGroups(facts: ServiceFacts): VersionGroup[] {
  const { service: name, instances } = facts.service;
  const shares = new Map<string, number>();
  for (const { instances } of facts.distributions.find(({ caller }) => caller === "*")?.shares ?? [])
    for (const each of instances) shares.set(each.name, (shares.get(each.name) ?? 0) + each.percent);
  const rows = instances.map((instance) => ({
    key: `//${name}@${instance.name}`,
    instance,
    share: shares.get(instance.name) ?? 0,
    ...trafficOf(instance.traffic),
  }));
  const groups = Map.groupBy(rows, ({ instance }) => instance.version ?? "");
  return [...groups]
    .map(([version, rows]) => ({ version, rows }))
    .toSorted((a, b) => b.version.localeCompare(a.version, "en", { numeric: true }));
}

/** The generations of a service that have instances, the primary included; without a version: "". */
export function generationsOf(instances: readonly InstanceListing[]): string[] {
  const all = new Set(instances.map(({ version }) => generationOf(version)));
  return [...all].toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }));
}

/** What a route of a service can name: each generation, each version that says more, each instance. */
export function targetsOf(service: string, instances: readonly InstanceListing[]): string[] {
  const versions = new Set(instances.flatMap(({ version }) => (version === null ? [] : [version])));
  const generations = generationsOf(instances).filter((generation) => generation !== "");
  return [
    ...[...new Set([...generations, ...versions])].map((version) => `//${service}(${version})`),
    ...instances.map(({ name }) => `//${service}@${name}`),
  ];
}
