import { Chance } from "./chance.ts";

/**
 * Input that nobody would send, made of input that somebody sends, by seed: the same in every run, so that a change is
 * never blamed for what it did not touch, and other input each time in `npm run soak`. DSTACK_FUZZ_SEED tries one seed.
 */

const SOAKING = process.env["DSTACK_SOAK"] === "1";
const ONE = process.env["DSTACK_FUZZ_SEED"];
const FIRST_SEED = SOAKING ? Date.now() % 2 ** 31 : 20_260;
/** How much of an input stands in the message of a failure. */
const SHOWN_MAX = 20_000;

/** How many inputs are tried: some in every run of the tests, many in a soak. */
export interface Runs {
  readonly test: number;
  readonly soak: number;
}

/** The seeds to try, each of which makes one input. */
export function* seeds({ test, soak }: Runs): Generator<number> {
  if (ONE !== undefined) return yield Number(ONE);
  const runs = SOAKING ? soak : test;
  for (let i = 0; i < runs; i++) yield (FIRST_SEED + i) % 2 ** 31;
}

/** A failure, with the seed and the input that bring it back. */
export function failure(seed: number, input: unknown, cause: unknown): Error {
  const text = typeof input === "string" ? input : JSON.stringify(input);
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}… (${text.length} characters)` : text;
  const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new Error(`DSTACK_FUZZ_SEED=${seed} fails with ${shown}\n${why}`, { cause });
}

/** Tries an input for each seed, and fails with the seed and the input at the first one that makes `attempt` throw. */
export async function fuzz<T>(
  runs: Runs,
  make: (chance: Chance) => T,
  attempt: (input: T) => void | Promise<void>,
): Promise<void> {
  for (const seed of seeds(runs)) {
    const input = make(new Chance(seed));
    try {
      await attempt(input);
    } catch (error) {
      throw failure(seed, input, error);
    }
  }
}

export { Chance } from "./chance.ts";
export { mutateJson, mutateText, mutateValue } from "./mutate.ts";
