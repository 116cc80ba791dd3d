import { z } from "zod";

/**
 * The setting of a count, with one message for everything that is not a whole number within the bounds, both included.
 */
export function wholeNumber(min: number, max: number) {
  const isWithin = (value: number): boolean => Number.isInteger(value) && value >= min && value <= max;
  const wanted = `a whole number from ${min} to ${max}`;
  return z.number({ error: wanted }).refine(isWithin, { error: wanted }).meta({ wanted });
}
