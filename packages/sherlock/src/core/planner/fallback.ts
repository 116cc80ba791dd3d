/** How many backends a request is offered, the first one included, before it is refused. */
const FALLBACK_LENGTH_MAX = 5;

/** A backend of a service with what decides when it is tried. */
export interface Candidate {
  readonly backend: string;
  /** Backends of one group differ in base path, zone or protocol only. */
  readonly group: string | null;
  /** Lower is tried earlier. */
  readonly rank: number;
  /** Whether it has a server that takes requests. One that has none may still hold some that want to go elsewhere. */
  readonly alive: boolean;
}

/**
 * Where a request goes when HAProxy finds no server of a backend alive before Watson has said so: first to the other
 * backends of the same group, then to the rest of the service in the order in which shares fall (routing rules,
 * section 3). As lines `origin>from` → next; the path that a request took stands in its key, so that none goes in a circle.
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
