/** The services whose part of the configuration HAProxy refuses. */
export interface Quarantine {
  /** service → what HAProxy said of its part. */
  readonly reasons: ReadonlyMap<string, string>;
  /** Those of them that were refused as they had been before, too. */
  readonly dropped: ReadonlySet<string>;
}

/** So many candidates are tried before a configuration as a whole is taken for refused. */
export const ATTEMPTS_MAX = 10;

/** A quarantine of no service. */
export const NO_QUARANTINE: Quarantine = { reasons: new Map(), dropped: new Set() };

/** Adds services that HAProxy has refused: as they are wanted, or as they were before where that has been tried already. */
export function addRefused(quarantine: Quarantine, services: Iterable<string>, message: string): Quarantine {
  const reasons = new Map(quarantine.reasons);
  const dropped = new Set(quarantine.dropped);
  for (const service of services) {
    if (reasons.has(service)) dropped.add(service);
    reasons.set(service, `HAProxy refuses its part: ${message}`);
  }
  return { reasons, dropped };
}

/** Lets services go that have changed: HAProxy may accept what they are now. */
export function releaseChanged(quarantine: Quarantine, services: Iterable<string>): Quarantine {
  if (quarantine.reasons.size === 0) return quarantine;
  const reasons = new Map(quarantine.reasons);
  const dropped = new Set(quarantine.dropped);
  for (const service of services) {
    reasons.delete(service);
    dropped.delete(service);
  }
  return { reasons, dropped };
}

/** The services in quarantine that may stay as they were before. */
export function keptServices({ reasons, dropped }: Quarantine): Set<string> {
  return new Set([...reasons.keys()].filter((service) => !dropped.has(service)));
}
