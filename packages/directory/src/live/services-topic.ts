import type { Revision } from "../feed/delta-log.ts";
import type { Topic } from "./topic.ts";

/** What the topic of all services is made of. */
export interface ServicesSource {
  whole(): unknown;
  /** Services as the whole has them, in that order; null for one that is not there. */
  rows(services: readonly string[]): readonly unknown[];
  names(): Iterable<string>;
  /** The traffic of a service; null where nothing was counted. */
  traffic(service: string): unknown;
  /** Says when traffic may have changed. */
  trafficVersion(): unknown;
  /** What else a row depends on beside the table, by service. */
  extra(): ReadonlyMap<string, string>;
  revision(): number;
  /** The revision after another one; null where it is not kept. */
  after(revision: number): Revision | null;
}

/**
 * All services: of a table of thousands, what the revisions name is looked at and no more. Traffic changes most, so that
 * a row of which nothing else has changed has but that.
 */
export function servicesTopic(source: ServicesSource, from?: number): Topic {
  let revision = from ?? source.revision();
  // Who has an older revision may have any traffic.
  let extra: ReadonlyMap<string, string> = from === undefined ? source.extra() : new Map();
  let trafficVersion = from === undefined ? source.trafficVersion() : Symbol("none");
  let traffic = from === undefined ? trafficNow() : new Map<string, string>();
  function trafficNow(): Map<string, string> {
    return new Map([...source.names()].map((name) => [name, JSON.stringify(source.traffic(name))]));
  }
  const dirty = (): Set<string> => {
    const names = new Set<string>();
    while (revision < source.revision()) {
      const next = source.after(revision);
      // What is no longer kept may have changed anything.
      if (next === null) {
        revision = source.revision();
        return new Set([...source.names(), ...traffic.keys()]);
      }
      for (const name of namesIn(next)) names.add(name);
      revision = next.revision;
    }
    const before = extra;
    extra = source.extra();
    for (const name of new Set([...before.keys(), ...extra.keys()]))
      if (before.get(name) !== extra.get(name)) names.add(name);
    return names;
  };
  return {
    everyMs: 0,
    whole: () => source.whole(),
    changes() {
      const names = [...dirty()];
      const found = names.length === 0 ? [] : source.rows(names);
      const rows = names.map((name, i) => [name, found[i] ?? null] as const);
      const changed = new Map(rows.filter(([, row]) => row !== null));
      const gone = rows.filter(([, row]) => row === null).map(([name]) => name);
      const version = source.trafficVersion();
      if (version !== trafficVersion) {
        trafficVersion = version;
        const before = traffic;
        traffic = trafficNow();
        for (const [name, text] of traffic)
          if (!changed.has(name) && before.get(name) !== text)
            changed.set(name, { service: name, traffic: source.traffic(name) });
      }
      return changed.size + gone.length === 0 ? null : { changed: [...changed.values()], gone };
    },
  };
}

/** The services that a revision is about. */
function namesIn({ change: { services, instances, tables, gone } }: Pick<Revision, "change">): Set<string> {
  return new Set([
    ...services.map(({ name }) => name),
    ...instances.map(({ service }) => service),
    ...tables.map(({ service }) => service),
    ...gone.services,
    ...gone.instances.map((key) => key.slice(0, key.indexOf("@"))),
    ...gone.tables.map((key) => key.slice(key.lastIndexOf(">") + 1)),
  ]);
}
