import type { Verdict } from "../judge/verdict.ts";

/** A failed check in one sentence, with the numbers that failed it. */
export function describeFailure({ name, target, limit, lower, requests }: Verdict): string {
  const unit = /^p\d/.test(name) ? " ms" : name.startsWith("error-rate") ? "%" : "";
  const number = (value: number | null): string =>
    value === null ? "unknown" : `${Number(value.toPrecision(3))}${unit}`;
  const atLeast = lower === null ? "" : `, at least ${number(lower)},`;
  const of = unit === "" ? "" : ` of ${requests} requests`;
  return `${name} failed: ${number(target)}${atLeast}${of}, where ${number(limit)} is the limit`;
}
