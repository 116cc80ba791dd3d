/**
 * Which of a name's addresses to use: the one in use while it is among them, so that a name with several does not move
 * at each look; else the first of IPv4, which services that listen on one family only mostly have; else the first.
 * Null for none.
 */
export function pickAddress(found: readonly string[], current: string | null): string | null {
  if (current !== null && found.includes(current)) return current;
  return found.find((address) => !address.includes(":")) ?? found[0] ?? null;
}
