import type { Choice } from "./node.ts";

/** Of one interaction, the most nodes that are remembered; the oldest go first. */
const NODES_MAX = 1_000;
/** Interactions within one another; of more, the outermost are forgotten. */
const LEVELS_MAX = 100;

/** What was resolved since the start of each interaction that is not finished; one within another, the last inmost. */
export class Interactions {
  /** Never empty: the first one is the session itself. */
  readonly #levels: Set<Choice>[] = [new Set()];

  note(choice: Choice): void {
    const level = this.#levels.at(-1) as Set<Choice>;
    if (level.has(choice)) return;
    if (level.size >= NODES_MAX) for (const oldest of level) return void (level.delete(oldest), level.add(choice));
    level.add(choice);
  }

  /** Of a call whose outcome is known already. */
  forget(choice: Choice): void {
    for (const level of this.#levels) level.delete(choice);
  }

  start(): void {
    if (this.#levels.length > LEVELS_MAX) this.#levels.splice(1, 1);
    this.#levels.push(new Set());
  }

  /** What the inmost interaction has resolved since its start, or since it last failed. */
  take(): Choice[] {
    const level = this.#levels.at(-1) as Set<Choice>;
    const choices = [...level];
    level.clear();
    return choices;
  }

  /** Ends the inmost interaction, and gives what it has resolved and did not fail. */
  finish(): Choice[] {
    const choices = this.take();
    if (this.#levels.length > 1) this.#levels.pop();
    return choices;
  }
}
