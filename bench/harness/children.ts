import type { ChildProcess } from "node:child_process";

/**
 * The child processes of a bench, none of which outlives it: not where it fails, where it is stopped, nor where one of the
 * others ends too early. `failed` is to be raced with what is measured; `kill` belongs into its `finally`.
 */
export class Children {
  readonly #running = new Set<ChildProcess>();
  #fail: (error: Error) => void = () => {};
  /** Rejects when a child has ended by itself, or the bench was asked to end. */
  readonly failed = new Promise<never>((_, reject) => (this.#fail = reject));

  constructor() {
    this.failed.catch(() => {}); // whoever races with it hears of it
    for (const signal of ["SIGINT", "SIGTERM"])
      process.once(signal, () => this.#fail(new Error(`Cannot measure: ${signal} came`)));
    process.once("exit", () => this.kill());
  }

  /** @param name what an error calls it. */
  add<C extends ChildProcess>(name: string, child: C): C {
    this.#running.add(child);
    child.once("error", (error) => this.#fail(new Error(`Cannot measure: ${name}: ${error.message}`)));
    child.once("exit", (code, signal) => {
      if (this.#running.delete(child)) this.#fail(new Error(`Cannot measure: ${name} ended with ${signal ?? code}`));
    });
    return child;
  }

  /** Ends all of them. */
  kill(): void {
    for (const child of this.#running) {
      this.#running.delete(child);
      child.kill("SIGKILL");
    }
  }
}
