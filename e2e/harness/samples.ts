/** The sum of all samples of that name in the metrics of a program, whatever their labels. */
export function sumOfSamples(metrics: string, name: string): number {
  const samples = metrics.split("\n").filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
