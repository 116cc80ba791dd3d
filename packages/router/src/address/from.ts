/** Where in a topic a subscription begins. */
export type From =
  | { readonly at: "first" }
  /** What comes from now. */
  | { readonly at: "last" }
  /** The message with this offset, or the first one after it. */
  | { readonly at: "offset"; readonly offset: number }
  /** The last `count` messages that are there. */
  | { readonly at: "back"; readonly count: number }
  /** The first message accepted at this moment or after it, milliseconds since 1970. */
  | { readonly at: "time"; readonly timeMs: number };

/** Reads `first`, `last`, `OFFSET`, `-N` or an RFC 3339 time; null for anything else. */
export function parseFrom(text: string): From | null {
  if (text === "first" || text === "last") return { at: text };
  if (/^\d{1,15}$/.test(text)) return { at: "offset", offset: Number(text) };
  if (/^-\d{1,15}$/.test(text)) return { at: "back", count: Number(text.slice(1)) };
  if (!TIME.test(text)) return null;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? null : { at: "time", timeMs };
}

const TIME = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)?)?$/;
