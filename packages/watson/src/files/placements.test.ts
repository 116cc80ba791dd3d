import { expect, test } from "vitest";
import { Placements } from "./placements.ts";

test("Placements takes a file for whole that came and was not written since", () => {
  const placements = new Placements();
  placements.note("rename", "/a.yaml");
  expect([placements.isWhole("/a.yaml"), placements.isWhole("/b.yaml")]).toEqual([true, false]);
  placements.note("change", "/a.yaml");
  expect(placements.isWhole("/a.yaml")).toBe(false);
  placements.note("rename", "/a.yaml");
  expect(placements.isWhole("/a.yaml")).toBe(true);
  placements.keep(new Set(["/b.yaml"]));
  expect(placements.isWhole("/a.yaml")).toBe(false);
});
