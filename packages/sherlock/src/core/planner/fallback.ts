/** How many backends a request is offered, the first one included, before it is refused. */
const FALLBACK_LENGTH_MAX = 5;

/** A backend of a service with what decides when it is tried. */
export interface Candidate {
  readonly backend: string;
  /** Backends of one group differ in base path, zone or protocol only. */
  readonly group: string | null;
  /** Lower is tried earlier. */
  readonly rank: number;
  /**
   * Whether it has a server that takes requests. A backend without one may still have requests queued, which have to go
   * elsewhere.
   */
  readonly alive: boolean;
}

/**
 * Where a request goes when HAProxy finds all servers of a backend dead before Watson has said so: first to the other
 * backends of the same group, then to the rest of the service, in the order of failover (routing rules, section 3).
 * Written as lines `origin>from` → next; as the key has the path of the request so far, no request goes in a circle.
 */
export function fallbackLines(
  candidates: readonly Candidate[],
  { sameGroupOnly }: { readonly sameGroupOnly: boolean },
): [key: string, next: string][] {
  const lines: [string, string][] = [];
  for (const origin of candidates) {
    const others = candidates
      .filter((other) => other.alive && other !== origin && (!sameGroupOnly || other.group === origin.group))
      .sort((a, b) => rankFrom(origin, a) - rankFrom(origin, b) || (a.backend < b.backend ? -1 : 1))
      .slice(0, FALLBACK_LENGTH_MAX - 1);
    let from = origin.backend;
    for (const { backend } of others) {
      lines.push([`${origin.backend}>${from}`, backend]);
      from = backend;
    }
  }
  return lines;
}

function rankFrom(origin: Candidate, other: Candidate): number {
  return other.group === origin.group ? -1 : other.rank;
}
