import type { FleetSize } from "./fleet.ts";

/** The options of the benches that are about size, and what they are when they are not given. */
export const sizeOptions = {
  watsons: { type: "string", default: "1000" },
  each: { type: "string", default: "100" },
  services: { type: "string", default: "5000" },
} as const;

export function sizeOf(values: Readonly<Record<keyof typeof sizeOptions, string>>): FleetSize {
  return { watsons: Number(values.watsons), each: Number(values.each), services: Number(values.services) };
}

/** For `eventually`: throws unless a condition holds. */
export function wanted(condition: boolean, otherwise: string): void {
  if (!condition) throw new Error(otherwise);
}
