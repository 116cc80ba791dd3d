/**
 * Serial numbers of RFC 1982 with 32 bits, as unsigned numbers: delivery ids, transfer ids and delivery counts go round at
 * 2^32, so none of them is ever compared with `<`.
 */

/** The number `count` places further on; `count` may be negative. */
export function serialAdd(serial: number, count: number): number {
  return (serial + count) >>> 0;
}

/** How many places `a` is ahead of `b`, negative where it is behind: -2^31 to 2^31 - 1. */
export function serialDistance(a: number, b: number): number {
  return (a - b) | 0;
}

/** Whether `a` comes after `b`. Of two that are 2^31 apart neither does, as the RFC leaves it open. */
export function serialAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
