/** The part of this package that does not need Node, for code that also runs in browsers. */
export { type Backoff, backoff } from "./backoff.ts";
export type { Chance } from "./chance.ts";
export { type Clock, sleepWith } from "./clock.ts";
