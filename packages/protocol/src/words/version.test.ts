import { expect, test } from "vitest";
import {
  compareGenerations,
  generationOf,
  meetsRequirement,
  parseGeneration,
  parseVersion,
  selectorMatches,
} from "./version.ts";

test.each([
  ["1.4", "1.4", true],
  ["1.4", "1.4.2", true],
  ["1.4", "1.40", false],
  ["1.4", "1", false],
  ["2", "20", false],
  ["blue", "blue", true],
  ["blue", "blue-2", false],
  ["2", null, false],
])("selectorMatches() (%s) on %s: %s", (selector, version, expected) => {
  expect(selectorMatches(selector, version)).toBe(expected);
});

test.each([
  ["1.10", "1.2", true],
  ["1.2", "1.10", false],
  ["1.2.0", "1.2.9", true],
  ["2.0", "1.0", false],
  ["1.4.2", "1", true],
  ["blue", "blue", true],
  ["blue", "green", false],
  ["1.x", "1.x", true],
  ["1.x", "1.y", false],
  [null, "1", false],
])("meetsRequirement() %s for %s: %s", (version, requirement, expected) => {
  expect(meetsRequirement(version, requirement)).toBe(expected);
});

test("compareGenerations() puts none first, then numbers by value, then labels", () => {
  expect(["blue", "10", "", "9", "alpha", "09"].toSorted(compareGenerations)).toEqual([
    "",
    "09",
    "9",
    "10",
    "alpha",
    "blue",
  ]);
});

test("generationOf() is the first part; an absent version is a generation of its own", () => {
  expect([generationOf("1.4.2"), generationOf("blue"), generationOf(null)]).toEqual(["1", "blue", ""]);
});

test("parseGeneration() takes the first part of versions, and refuses more than that", () => {
  expect([parseGeneration("2"), parseGeneration("blue")]).toEqual(["2", "blue"]);
  expect(() => parseGeneration("1.4")).toThrow(
    'Cannot use "1.4" as a primary: a primary is the first part of versions, wanted 1',
  );
});

test.each(["", "a b", "1%", "x".repeat(101), "1\n2"])("parseVersion() refuses %j", (text) => {
  expect(() => parseVersion(text)).toThrow(/as a version: it must be 1 to 100/);
});
