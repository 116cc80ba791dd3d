import { expect, test } from "vitest";
import { layOut } from "./graph.ts";

test("layOut() puts callers left of what they call", () => {
  const { nodes, width, height } = layOut([
    { caller: "web", service: "api" },
    { caller: "api", service: "db" },
    { caller: "web", service: "db" },
  ]);
  const x = (name: string) => nodes.get(name)?.x ?? -1;
  expect(x("web")).toBeLessThan(x("api"));
  expect(x("api")).toBeLessThan(x("db"));
  expect(width).toBeGreaterThan(x("db"));
  expect(height).toBeGreaterThan(0);
});

test("layOut() places services that call each other, once each and apart", () => {
  const { nodes } = layOut([
    { caller: "a", service: "b" },
    { caller: "b", service: "a" },
    { caller: "a", service: "a" },
  ]);
  expect(new Set([...nodes.values()].map(({ x, y }) => `${x} ${y}`)).size).toBe(2);
});

test("layOut() of nothing is empty", () => {
  expect(layOut([]).nodes.size).toBe(0);
});

test("layOut() gives the calls to one service ends of their own, in the order of their callers", () => {
  const { nodes, edges } = layOut([
    { caller: "b", service: "db" },
    { caller: "a", service: "db" },
    { caller: "c", service: "db" },
  ]);
  const ends = new Map(edges.map(({ caller, to }) => [caller, to]));
  expect([...ends].toSorted(([, a], [, b]) => a - b).map(([caller]) => caller)).toEqual(["a", "b", "c"]);
  const db = nodes.get("db");
  for (const end of ends.values()) {
    expect(end).toBeGreaterThan(db?.y ?? 0);
    expect(end).toBeLessThan((db?.y ?? 0) + (db?.height ?? 0));
  }
});
