import { setFlagsFromString } from "node:v8";

/** By how many percent of what is kept the heap grows until all of it is collected. */
export const HEAP_GROWTH = 30;

/**
 * Makes this process prefer memory to speed; imported first, before the heap has grown. What runs on every machine
 * must not be noticed there, and most of what a check or a plan allocates is garbage a moment later. With 2,000 services and
 * 1,000 checks a second, `bench/watson-checks.ts` measures 320 MB without these and 135 MB with them, for a tenth of a
 * core more; a Sherlock that follows 1,000 services of 5 instances has 162 MB without and 75 MB with them and without compilers.
 */
for (const flag of ["--optimize-for-size", `--heap-growing-percent=${HEAP_GROWTH}`]) setFlagsFromString(flag);
