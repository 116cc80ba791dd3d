import { parsedBy } from "@datawire/runtime";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["B", 1],
  ["kB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
]);

/**
 * Reads a number of bytes such as `64KiB`, `10GiB` or `1MB`; a bare number is bytes.
 * @throws Error that says what is wrong, without quoting it.
 */
export function parseByteSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = UNITS.get(unit);
  if (number === "" || factor === undefined) throw new Error("it is no size");
  const bytes = Math.round(Number(number) * factor);
  if (!Number.isSafeInteger(bytes)) throw new Error("it is larger than any disk");
  return bytes;
}

/** A size of at least so many bytes. */
export function byteSizeFrom(bytesMin: number, bytesMax = Number.MAX_SAFE_INTEGER) {
  return parsedBy((text) => {
    const bytes = parseByteSize(text);
    if (bytes < bytesMin) throw new Error(`the least is ${bytesMin} bytes`);
    if (bytes > bytesMax) throw new Error(`the most is ${bytesMax} bytes`);
    return bytes;
  }, "a size such as 64KiB, 10MiB or 1GB");
}
