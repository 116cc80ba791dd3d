/** From here on a text is a long one: it is broken where it does not fit, and does not push what follows out of sight. */
const LONG = 40;

/** The class of a cell by its value. */
export function cellClass(value: string | number | null, isNumber = false): string | undefined {
  if (isNumber) return "number";
  return typeof value === "string" && value.length > LONG ? "long" : undefined;
}
