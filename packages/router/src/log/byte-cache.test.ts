import { expect, test } from "vitest";
import { ByteCache } from "./byte-cache.ts";

const textAt = (cache: ByteCache, segment: number, offset: number, length: number): string | undefined =>
  cache.find(segment, offset, length)?.toString();

test("ByteCache has the newest of what was copied, as it was, and nothing of what it was written over", () => {
  const cache = new ByteCache(100);
  const text = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(1 + ((i * 7) % 40));
  const at = Array.from({ length: 200 }, (_, i) => i * 1_000);
  for (const [i, position] of at.entries()) {
    const bytes = Buffer.from(text(i));
    cache.copy(7, position, bytes);
    bytes.fill("!");
    const here = at.slice(0, i + 1).map((place, k) => textAt(cache, 7, place, text(k).length));
    expect(here.at(-1)).toBe(text(i));
    for (const [k, found] of here.entries()) expect([text(k), undefined]).toContain(found);
    // With the one before it, where both fit.
    if (i > 0 && text(i).length + text(i - 1).length <= 50) expect(here.at(-2)).toBe(text(i - 1));
  }
});

test("ByteCache finds parts of a piece, and none that is not all there, or is forgotten", () => {
  const cache = new ByteCache(100);
  cache.copy(1, 10, Buffer.from("copied"));
  cache.add(2, 10, Buffer.from("given"));
  expect([textAt(cache, 1, 12, 4), textAt(cache, 2, 11, 2)]).toEqual(["pied", "iv"]);
  expect([cache.find(1, 9, 2), cache.find(1, 14, 3), cache.find(3, 10, 1)]).toEqual([null, null, null]);
  cache.forget(1);
  expect([textAt(cache, 1, 10, 6), textAt(cache, 2, 10, 5)]).toEqual([undefined, "given"]);
});

test("ByteCache keeps of what is too large to copy as much as its bytes, and the last one always", () => {
  const cache = new ByteCache(100);
  const given = Array.from({ length: 5 }, (_, i) => Buffer.alloc(40, i));
  for (const [i, bytes] of given.entries()) cache.add(1, i * 100, bytes);
  expect(given.map((_, i) => cache.find(1, i * 100, 40) !== null)).toEqual([false, false, false, true, true]);
  cache.add(1, 1_000, Buffer.alloc(500));
  expect(given.map((_, i) => cache.find(1, i * 100, 40) !== null)).toEqual([false, false, false, false, false]);
  expect(cache.find(1, 1_000, 500)).not.toBe(null);
  // So many pieces that a miss would look at too many of them.
  for (let i = 0; i < 300; i++) cache.copy(2, i, Buffer.alloc(0));
  expect(cache.find(1, 1_000, 500)).toBe(null);
});
