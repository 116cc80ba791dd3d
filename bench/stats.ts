/** The value below which a share of the sorted values lie; `NaN` for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** One line of a result: what was measured, how often, and how it lay. */
export function describe(title: string, values: readonly number[], unit: string): string {
  const shown = [0, 0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
  return `${title}: min ${shown[0]}, median ${shown[1]}, p99 ${shown[2]}, max ${shown[3]} ${unit} (n=${values.length})`;
}
