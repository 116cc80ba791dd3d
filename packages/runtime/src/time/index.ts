/** What of this package knows no Node, for what runs in browsers too. */
export { type Backoff, backoff } from "./backoff.ts";
export type { Chance } from "./chance.ts";
export { type Clock, sleepWith } from "./clock.ts";
