import { expect, test } from "vitest";
import { createReadiness } from "./ready.ts";

test("createReadiness() is ready once sealed and every part is", () => {
  const readiness = createReadiness();
  const seen: boolean[] = [];
  readiness.onChange((ready) => seen.push(ready));
  const directory = readiness.add("directory", "not connected yet");
  directory.ready();
  expect(readiness.missing()).toEqual([{ part: "start", reason: "not all parts have started" }]);
  const haproxy = readiness.add("haproxy", "starting");
  readiness.seal();
  expect(readiness.missing()).toEqual([{ part: "haproxy", reason: "starting" }]);
  haproxy.ready();
  directory.notReady("connection lost");
  directory.notReady("still lost");
  directory.ready();
  expect(seen).toEqual([true, false, true]);
});

test("createReadiness() tells a listener that comes late", () => {
  const readiness = createReadiness();
  readiness.seal();
  const seen: boolean[] = [];
  readiness.onChange((ready) => seen.push(ready));
  expect(seen).toEqual([true]);
});

test("createReadiness() refuses a second part of the same name", () => {
  const readiness = createReadiness();
  readiness.add("directory", "a");
  expect(() => readiness.add("directory", "b")).toThrow('Cannot add "directory"');
});
