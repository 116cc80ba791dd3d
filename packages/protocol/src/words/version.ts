import { ProtocolError } from "./errors.ts";
import { quoteShort } from "./names.ts";

/** What a version may be, in the words of every message that refuses one (routing rules, section 2). */
export const VERSION_RULE = "1 to 100 of A-Z a-z 0-9 . _ + -";
/** What a version has to look like; `VERSION_RULE` says it in words. */
export const VERSION_PATTERN = /^[A-Za-z0-9._+-]{1,100}$/;

/**
 * The first part of a version (`1.4.2` → `1`). An absent version is a generation of its own, written as the empty
 * string, which no version can be.
 */
export type Generation = string;

/**
 * Returns `text` when it is a valid version.
 * @throws ProtocolError `invalid_argument`
 */
export function parseVersion(text: string): string {
  if (VERSION_PATTERN.test(text)) return text;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${quoteShort(text)} as a version: it must be ${VERSION_RULE}`,
  );
}

/** The generation of a version: what stands before its first dot, and "" for an instance without a version. */
export function generationOf(version: string | null): Generation {
  return version === null ? "" : (version.split(".", 1)[0] as string);
}

/**
 * Returns `text` when it is a generation, which is what a primary is. A longer version is refused: whoever names 1.4
 * does not mean all that begins with 1.
 * @throws ProtocolError `invalid_argument`
 */
export function parseGeneration(text: string): Generation {
  const generation = generationOf(parseVersion(text));
  if (text === generation) return generation;
  throw new ProtocolError(
    "invalid_argument",
    `Cannot use ${quoteShort(text)} as a primary: a primary is the first part of versions, wanted ${generation}`,
  );
}

/** A generation as messages write it. */
export function describeGeneration(generation: Generation): string {
  return generation === "" ? "without a version" : `version ${generation}`;
}

/** Whether the dot-separated parts of `selector` are the leading parts of `version`: `1.4` takes 1.4 and 1.4.2, not 1.40. */
export function selectorMatches(selector: string, version: string | null): boolean {
  if (version === null) return false;
  return version === selector || version.startsWith(`${selector}.`);
}

/** How many dot-separated parts a selector has; more parts are more specific. */
export function selectorLength(selector: string): number {
  return selector.split(".").length;
}

/**
 * Whether `version` fulfils what a client library asked for: the same first part, and a second part that is at least
 * the asked one as a number; the third is ignored. Versions that are not numeric in those parts match exactly.
 */
export function meetsRequirement(version: string | null, requirement: string): boolean {
  if (version === null) return false;
  const has = majorMinor(version);
  const wants = majorMinor(requirement);
  if (has === null || wants === null) return version === requirement;
  return has.major === wants.major && has.minor >= wants.minor;
}

/**
 * Orders generations from lowest to highest: the absent one, then numbers by value, then labels by their characters.
 * Used for "the lowest generation seen in the first 5 s".
 */
export function compareGenerations(a: Generation, b: Generation): number {
  const rank = kindRank(a) - kindRank(b);
  if (rank !== 0) return rank;
  if (!isNumeric(a)) return a < b ? -1 : a > b ? 1 : 0;
  return compareNumerals(a, b);
}

function kindRank(generation: Generation): number {
  if (generation === "") return 0;
  return isNumeric(generation) ? 1 : 2;
}

/** Whether a part of a version compares as a number. */
export function isNumeric(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

/** Compares digit strings of any length without losing digits to floating point. */
function compareNumerals(a: string, b: string): number {
  const left = BigInt(a);
  const right = BigInt(b);
  return left < right ? -1 : left > right ? 1 : a < b ? -1 : a > b ? 1 : 0;
}

function majorMinor(version: string): { major: bigint; minor: bigint } | null {
  const [major = "", minor = "0"] = version.split(".");
  return isNumeric(major) && isNumeric(minor) ? { major: BigInt(major), minor: BigInt(minor) } : null;
}
