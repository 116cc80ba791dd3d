import { loadavg } from "node:os";

/** One line of a result. */
export function print(what: string, text: string): void {
  console.log(`${what.padEnd(30)}${text}`);
}

/** How busy the machine was, which belongs to every result. */
export function printLoad(): void {
  const [last = 0, five = 0] = loadavg();
  print("load average", `${last.toFixed(1)} over the last minute, ${five.toFixed(1)} over five`);
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
