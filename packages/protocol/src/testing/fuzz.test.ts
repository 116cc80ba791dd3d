import { expect, test } from "vitest";
import { Chance, fuzz, mutateJson, mutateText, mutateValue } from "./fuzz.ts";

const SAMPLE = { type: "register", seq: 1, instances: [{ service: "barker", name: "a", tags: ["x"], zone: null }] };

test("a seed makes the same input each time, and its neighbour another one", () => {
  const made = (seed: number): string => mutateJson(SAMPLE, new Chance(seed));
  for (let seed = 0; seed < 50; seed++) expect(made(seed)).toBe(made(seed));
  expect(new Set(Array.from({ length: 200 }, (_, seed) => made(seed))).size).toBeGreaterThan(150);
});

test("a seed makes the same input whatever was made before it", () => {
  const all = (): string[] => Array.from({ length: 20_000 }, (_, seed) => mutateJson(SAMPLE, new Chance(seed)));
  const first = all();
  expect(all()).toEqual(first);
});

test("mutateValue() leaves the sample as it is, and reaches every part of it", () => {
  const before = JSON.stringify(SAMPLE);
  const touched = new Set<string>();
  for (let seed = 0; seed < 3_000; seed++) {
    const text = JSON.stringify(mutateValue(SAMPLE, new Chance(seed))) ?? "";
    for (const part of ['"type":"register"', '"seq":1', '"service":"barker"', '"tags":["x"]', '"zone":null'])
      if (!text.includes(part)) touched.add(part);
  }
  expect(JSON.stringify(SAMPLE)).toBe(before);
  expect(touched.size).toBe(5);
});

test("mutateText() changes a text, and takes an empty one", () => {
  const changed = Array.from({ length: 100 }, (_, seed) => mutateText("hello world", new Chance(seed)));
  expect(changed.filter((text) => text !== "hello world").length).toBeGreaterThan(90);
  for (let seed = 0; seed < 100; seed++) expect(typeof mutateText("", new Chance(seed))).toBe("string");
});

test("fuzz() tells the seed and the input of what fails", async () => {
  const runs = { test: 10, soak: 10 };
  const attempt = fuzz(
    runs,
    (chance) => ({ type: "constructor", n: chance.int(3) }),
    () => {
      throw new TypeError("safeParse is not a function");
    },
  );
  await expect(attempt).rejects.toThrow(/^DSTACK_FUZZ_SEED=\d+ fails with \{"type":"constructor","n":[0-2]\}/);
});
