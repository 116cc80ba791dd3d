/** Orders the clocks of one trace: `[1] < [1,1] < [2]`, what a step caused after it and before the next one. */
export function compareClocks(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = (a[i] as number) - (b[i] as number);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
