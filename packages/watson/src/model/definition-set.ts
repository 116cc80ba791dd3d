import { familyOf } from "@datawire/protocol";
import { formatPlace, type Problem } from "@datawire/runtime";
import type { ServiceDefinition } from "./service-definition.ts";

/** What a service file says now, and what it last said without an error. */
export interface ServiceFile {
  readonly file: string;
  /** Of the last good version; empty for a file that never had one. */
  readonly instances: readonly ServiceDefinition[];
  /** Of the version on disk; empty for a good one. */
  readonly problems: readonly Problem[];
}

/** The instances that all service files together define, and the problems of the files. */
export interface WantedSet {
  readonly instances: ReadonlyMap<string, ServiceDefinition>;
  readonly problems: readonly Problem[];
}

/**
 * Makes one set of all files. An instance that two places claim is a problem that names both. It stays with the claim
 * in `before`, the set in force, so that a file added by mistake takes nothing from the one that was there; else the
 * first file by name has it.
 */
export function mergeFiles(
  files: readonly ServiceFile[],
  before: ReadonlyMap<string, ServiceDefinition> = new Map(),
): WantedSet {
  const claims = new Map<string, ServiceDefinition[]>();
  const sorted = files.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  for (const instance of sorted.flatMap((file) => file.instances)) {
    const others = claims.get(instance.key);
    if (others === undefined) claims.set(instance.key, [instance]);
    else others.push(instance);
  }
  const instances = new Map<string, ServiceDefinition>();
  const problems = sorted.flatMap((file) => file.problems);
  for (const [key, claimants] of claims) {
    const holder = holderOf(claimants, before.get(key));
    instances.set(key, holder);
    for (const claimant of claimants) if (claimant !== holder) problems.push(conflict(claimant, holder));
  }
  problems.push(...disagreements([...instances.values()]));
  return { instances, problems: problems.toSorted(byPlace) };
}

/**
 * Contradictions between instances of one service: two protocols, or one URL for two instances, which would give that URL
 * the share of both.
 */
function disagreements(instances: readonly ServiceDefinition[]): Problem[] {
  const first = new Map<string, ServiceDefinition>();
  const at = new Map<string, ServiceDefinition>();
  return instances.flatMap((instance) => {
    const { service, name, url, protocol, source } = instance;
    const one = first.get(service) ?? instance;
    const same = at.get(`${service} ${url}`) ?? instance;
    first.set(service, one);
    at.set(`${service} ${url}`, same);
    const address = `//${service}@${name}`;
    const found: Problem[] = [];
    if (familyOf(one.protocol) !== familyOf(protocol)) {
      const other = `${formatPlace(one.source)} says ${one.protocol}`;
      found.push({
        ...source,
        message: `Cannot register ${address} as ${protocol}: ${other}, and one service speaks HTTP, TCP or AMQP`,
      });
    }
    if (same !== instance) {
      const other = `${formatPlace(same.source)} gives its URL ${url} to //${service}@${same.name} too`;
      found.push({ ...source, message: `Cannot tell ${address} apart: ${other}; wanted one of them, or another URL` });
    }
    return found;
  });
}

function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

function holderOf(claimants: readonly ServiceDefinition[], before: ServiceDefinition | undefined): ServiceDefinition {
  const same = claimants.find(({ source, url }) => source.file === before?.source.file && url === before.url);
  const holder = same ?? claimants.find(({ source }) => source.file === before?.source.file) ?? claimants[0];
  if (holder === undefined) throw new Error("Cannot find who holds an instance: nobody claims it");
  return holder;
}

function conflict({ service, name, source }: ServiceDefinition, holder: ServiceDefinition): Problem {
  const message = `Cannot register //${service}@${name}: ${formatPlace(holder.source)} claims the same instance; give one of them another \`instance\``;
  return { ...source, message };
}
