/** One line of a chart: a value for each moment, null where nothing is known. */
export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** The commands of an SVG path through the values; it is broken where nothing is known. */
export function linePath(
  values: readonly (number | null)[],
  { width, height, max }: { readonly width: number; readonly height: number; readonly max: number },
): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let isDrawing = false;
  let path = "";
  for (const [i, value] of values.entries()) {
    if (value === null) {
      isDrawing = false;
      continue;
    }
    const y = height - (value / max) * height;
    path += `${isDrawing ? "L" : "M"} ${(i * step).toFixed(1)} ${y.toFixed(1)} `;
    // A lone point would be a line of no length, which a round end makes visible.
    if (!isDrawing) path += "h 0 ";
    isDrawing = true;
  }
  return path.trim();
}

/** The top of an axis: the next of 1, 2 or 5 and zeros that holds every value, and no less than `least`. */
export function axisMax(lines: readonly Line[], least = 1): number {
  const largest = Math.max(0, ...lines.flatMap(({ values }) => values.filter((value) => value !== null)));
  if (largest <= least) return least;
  const size = 10 ** Math.floor(Math.log10(largest));
  return ([1, 2, 5, 10].find((factor) => factor * size >= largest) ?? 10) * size;
}

/** Which of `count` moments is nearest to a place, 0 to 1 from the first to the last. */
export function momentAt(place: number, count: number): number | null {
  if (count === 0) return null;
  return Math.min(count - 1, Math.max(0, Math.round(place * (count - 1))));
}
