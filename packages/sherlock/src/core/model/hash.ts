/** A well-mixed 32-bit number for a text (FNV-1a with the finish of MurmurHash3): for spreading, not for secrets. */
export function spread(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** 16 hexadecimal digits that differ for texts that differ, as far as 64 bits go. */
export function digest(text: string): string {
  return [spread(text), spread(text, 0x9e3779b9)].map((part) => part.toString(16).padStart(8, "0")).join("");
}
