import { expect, test } from "vitest";
import { Placements } from "./placements.ts";

test("Placements knows since when a file is whole that came and was not written since", () => {
  const placements = new Placements();
  placements.note("rename", "/a.yaml", 1);
  expect([placements.wholeSinceMs("/a.yaml"), placements.wholeSinceMs("/b.yaml")]).toEqual([1, null]);
  placements.note("change", "/a.yaml", 2);
  expect(placements.wholeSinceMs("/a.yaml")).toBeNull();
  placements.note("rename", "/a.yaml", 3);
  expect(placements.wholeSinceMs("/a.yaml")).toBe(3);
  placements.keep(new Set(["/b.yaml"]));
  expect(placements.wholeSinceMs("/a.yaml")).toBeNull();
});
