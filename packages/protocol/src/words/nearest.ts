/** The one of `known` that `name` is most likely a mistyping of; undefined when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  // Of a single letter nothing is left when it is changed, so no other is near.
  const limit = Math.min(Math.max(1, Math.floor(name.length / 3)), name.length - 1);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    // As many insertions are needed at the least; to know thousands of names costs little that way.
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  return best?.name;
}

/**
 * What follows "there is no such …" in a message: the name that was probably meant, else what there is.
 * @param prefix makes of the name what can be typed: `//`, `//barker@`.
 */
export function hintAt(name: string, known: Iterable<string>, prefix: string): string {
  const names = [...known];
  const near = nearest(name, names);
  return near === undefined ? `there are: ${listShort(names)}` : `did you mean ${prefix}${near}?`;
}

/** Names in their order, and only the first of many, so that a message stays one that is read. */
export function listShort(names: Iterable<string>): string {
  const sorted = [...new Set(names)].sort();
  const more = sorted.length - SHOWN_MAX;
  if (sorted.length === 0) return "none";
  return `${sorted.slice(0, SHOWN_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

const SHOWN_MAX = 20;

/** Keys are short; a longer one is cut, so that a hostile file cannot make this slow. */
const LENGTH_MAX = 64;

/** How many insertions, deletions, changes and swaps of neighbours lead from one to the other (optimal string alignment). */
export function editDistance(from: string, to: string): number {
  const a = from.slice(0, LENGTH_MAX);
  const b = to.slice(0, LENGTH_MAX);
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(row, j - 1) + 1, at(last, j) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;
