import { ADDRESS_BYTES_MAX, SEGMENT_PATTERN, SEGMENT_RULE } from "./address-segment.ts";

/** A pattern of addresses: `*` stands for one segment, `**` at the end for the rest, which may be nothing. */
export interface AddressPattern {
  readonly text: string;
  readonly segments: readonly string[];
  /** How many characters stand before the first star. Of several patterns that match, the one with the most decides. */
  readonly literalLength: number;
}

/**
 * Reads a pattern such as `orders/**` or `topic/chat/*`.
 * @throws Error that says what is wrong with it, without quoting it.
 */
export function parsePattern(text: string): AddressPattern {
  if (text.length > ADDRESS_BYTES_MAX) throw new Error(`it is longer than ${ADDRESS_BYTES_MAX} bytes`);
  const segments = text.replace(/^\/\//, "").split("/");
  segments.forEach((segment, index) => {
    if (segment === "*") return;
    if (segment === "**") {
      if (index !== segments.length - 1) throw new Error("** stands for the rest, and something follows it");
      return;
    }
    if (segment.includes("*")) throw new Error(`* stands for a whole segment, and ${JSON.stringify(segment)} is more`);
    if (!SEGMENT_PATTERN.test(segment))
      throw new Error(`its segment ${JSON.stringify(segment)} is none: ${SEGMENT_RULE}`);
  });
  const joined = segments.join("/");
  const star = joined.indexOf("*");
  return { text, segments, literalLength: star === -1 ? joined.length + 1 : star };
}

/** What the stars of a pattern stand for in a name, in order; null where it does not match. */
export function matchPattern({ segments }: AddressPattern, name: string): readonly string[] | null {
  const parts = name.split("/");
  const stars: string[] = [];
  for (const [index, segment] of segments.entries()) {
    if (segment === "**") return [...stars, parts.slice(index).join("/")];
    const part = parts[index];
    if (part === undefined) return null;
    if (segment === "*") stars.push(part);
    else if (segment !== part) return null;
  }
  return parts.length === segments.length ? stars : null;
}

/** Orders patterns so that the first one that matches decides: longest literal beginning, then `*` before `**`. */
export function comparePatterns(a: AddressPattern, b: AddressPattern): number {
  return (
    b.literalLength - a.literalLength || Number(isOpen(a)) - Number(isOpen(b)) || b.segments.length - a.segments.length
  );
}

const isOpen = ({ segments }: AddressPattern): boolean => segments.at(-1) === "**";
