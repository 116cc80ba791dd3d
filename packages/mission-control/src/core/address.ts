/** Where one is in the console: the path below its base, and what the search parameters say. */
export interface Place {
  /** Without a slash before or after it: `services/barker`; empty for the overview. */
  readonly path: string;
  /** As `?tab=shares` has them, without the question mark. */
  readonly search: string;
}

/** The segments of a path, decoded; a segment that is no encoding stays as it is. */
export function segmentsOf(path: string): string[] {
  return path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decodeSegment);
}

/** A path of these segments. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map(encodeURIComponent).join("/");
}

/** Search parameters with some of them changed; null or an empty text drops one. */
export function withParams(search: string, changes: Readonly<Record<string, string | null>>): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  return params.toString();
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
