import { createMetrics as ofDirectory } from "@datawire/directory";
import { createMetrics as ofRouter } from "@datawire/router";
import { createMetrics as ofSherlock } from "@datawire/sherlock";
import { createMetrics as ofWatson } from "@datawire/watson";

/** A metric, as its program tells of it. */
export interface DescribedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** The metrics of each daemon, without those of Node.js that all have. */
export async function describeMetrics(): Promise<ReadonlyMap<string, readonly DescribedMetric[]>> {
  const directory = ofDirectory();
  directory.observe(() => []);
  const watson = ofWatson({ instances: () => [], directories: () => [], fileProblems: () => 0 });
  const sherlock = ofSherlock({
    revision: () => 0,
    tableAgeMs: () => 0,
    tableDivergences: () => 0,
    oldWorkers: async () => 0,
    services: () => 0,
    isPresent: () => false,
  });
  const router = ofRouter({
    broker: {
      kept: [],
      direct: [],
      retired: { in: 0, out: 0, dead: 0, expired: 0, dropped: 0, duplicates: 0 },
      trouble: null,
      log: { usage: { bytes: 0, neededBytes: 0, segments: 0 }, backlogBytes: 0 },
      intake: { heldBytes: 0 },
    },
    refusals: { of: () => 0 },
    upstreams: { addresses: [], retired: { in: 0, out: 0 } },
    connections: () => 0,
  });
  return new Map([
    ["directory", read(await directory.registry.metrics())],
    ["watson", read(await watson.registry.metrics())],
    ["sherlock", read(await sherlock.registry.metrics())],
    ["router", read(await router.metrics())],
  ]);
}

/** Reads the text format of Prometheus: `# HELP NAME TEXT`, followed by `# TYPE NAME TYPE`. */
function read(text: string): DescribedMetric[] {
  const found = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)];
  return found
    .map(([, name = "", help = "", type = ""]) => ({ name, help, type }))
    .filter(({ name }) => name.startsWith("datawire_"))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
