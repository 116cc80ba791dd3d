/**
 * What an object itself has under a key that comes from outside, and nothing of what every object inherits: a plain
 * lookup of `constructor` or `__proto__` finds something in all of them. A table of one's own is a Map.
 */
export function own<T>(object: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.getOwnPropertyDescriptor(object, key)?.value as T | undefined;
}
