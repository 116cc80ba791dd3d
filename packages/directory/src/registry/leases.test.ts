import { expect, test } from "vitest";
import { Leases } from "./leases.ts";

const LIMITS = { share: 0.5, minimum: 10 };

test("end() ends leases when they are over, the oldest first", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", 1, 0);
  leases.start("b", 1, 10);
  expect(leases.end(99, 50)).toEqual([]);
  expect(leases.end(100, 50)).toEqual(["a"]);
  expect(leases.end(110, 49)).toEqual(["b"]);
});

test("start() again begins a lease anew, and stop() ends the count-down", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", 1, 0);
  leases.start("b", 1, 0);
  leases.start("a", 1, 50);
  leases.stop("b");
  expect(leases.end(149, 50)).toEqual([]);
  expect(leases.end(150, 50)).toEqual(["a"]);
});

test.each([
  [9, 9, false, "fewer than the minimum end without asking"],
  [10, 10, true, "all at once"],
  [50, 100, false, "half is not more than half"],
  [51, 100, true, "more than half"],
])("end() of %i of %i instances is held: %s, as %s", (lost, registered, held) => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", lost, 0);
  expect(leases.end(100, registered)).toEqual(held ? [] : ["a"]);
  expect(leases.held === null).toBe(!held);
  if (held) expect(leases.held?.reason).toContain(`${lost} of ${registered} instances`);
});

test("end() holds a mass loss whose leases end one after the other", () => {
  const leases = new Leases(100, LIMITS);
  for (let i = 0; i < 20; i++) leases.start(`w${i}`, 1, i);
  expect(leases.end(100, 20)).toEqual([]);
  expect(leases.held).toMatchObject({ held: 1, watsons: ["w0"] });
});

test("end() counts what ended within the last lease", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", 9, 0);
  expect(leases.end(100, 18)).toEqual(["a"]);
  leases.start("b", 5, 20);
  expect(leases.end(120, 9)).toEqual([]); // 14 of 18 within one lease
  expect(leases.end(200, 9)).toEqual(["b"]); // the first loss is long ago, and 5 are fewer than the minimum
});

test("end() goes on by itself when enough have come back", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", 8, 0);
  leases.start("b", 8, 0);
  expect(leases.end(100, 20)).toEqual([]);
  leases.stop("a");
  expect(leases.end(101, 20)).toEqual(["b"]);
  expect(leases.held).toBeNull();
});

test("release() lets what is out of sight now end with its lease, and guards what comes later", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("a", 10, 0);
  leases.start("b", 5, 50);
  expect(leases.release()).toBe(0); // nothing is held yet
  expect(leases.end(100, 20)).toEqual([]);
  expect(leases.release()).toBe(10); // the instances of a
  expect(leases.end(101, 20)).toEqual(["a"]);
  expect(leases.end(150, 10)).toEqual(["b"]);
  leases.start("c", 10, 200);
  expect(leases.end(300, 10)).toEqual([]);
});

test("end() ends a lease of its own length when that is over, whatever began before or after it", () => {
  const leases = new Leases(100, LIMITS);
  leases.start("long", 1, 0, 500);
  leases.start("usual", 1, 10);
  leases.start("short", 1, 20, 30);
  expect(leases.running).toBe(3);
  expect(leases.end(29, 50)).toEqual([]);
  expect(leases.end(30, 50)).toEqual(["short"]);
  expect(leases.end(110, 50)).toEqual(["usual"]);
  leases.start("long", 1, 120);
  expect(leases.end(219, 50)).toEqual([]);
  expect(leases.end(220, 50)).toEqual(["long"]);
  expect(leases.running).toBe(0);
});

test("release() lets those go that have a lease of their own, which the guard holds with all others", () => {
  const leases = new Leases(100, LIMITS);
  for (let i = 0; i < 10; i++) leases.start(`n${i}`, 1, 0, 50);
  for (let i = 0; i < 10; i++) leases.start(`w${i}`, 1, 0);
  expect(leases.end(50, 20)).toEqual([]);
  expect(leases.held).toMatchObject({ held: 10 });
  expect(leases.release()).toBe(10);
  expect(leases.end(51, 20)).toHaveLength(10);
  expect(leases.end(100, 10)).toHaveLength(10);
});
