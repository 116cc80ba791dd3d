/** How many tests passed and failed; a check counts as one test. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Prints the heading of a step that begins. */
export function printHeading(name: string): void {
  console.log(`\n== ${name}`);
}

/** Prints how a step went and how long it took. */
export function printStep(name: string, durationMs: number, ok: boolean): void {
  console.log(`${ok ? "ok    " : "FAILED"} ${name.padEnd(12)} ${(durationMs / 1000).toFixed(1).padStart(6)} s`);
}
