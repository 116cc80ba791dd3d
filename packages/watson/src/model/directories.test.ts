import { parseDirectoryAddress } from "@datawire/protocol";
import { expect, test } from "vitest";
import { authoritiesOf, directoryName, isFor, repeated, type Replicas } from "./directories.ts";

const replicas = (...addresses: string[]): Replicas => addresses.map(parseDirectoryAddress) as unknown as Replicas;

test("authoritiesOf() gives every replica in its plain form", () => {
  expect(authoritiesOf([replicas("//a/directory"), replicas("wss://b:1", "wss://c:2")])).toEqual(["a", "b:1", "c:2"]);
});

test("isFor() finds the directory that an instance names, however it is spelt", () => {
  expect(isFor(replicas("//a/directory"), null)).toBe(true);
  expect(isFor(replicas("//a:5430/directory"), "a:5430")).toBe(true);
  expect(isFor(replicas("wss://b:1", "wss://c:2"), "c:2")).toBe(true);
  expect(isFor(replicas("//a/directory"), "b:5430")).toBe(false);
});

test("repeated() finds a directory that stands twice, alone or as a replica", () => {
  expect(repeated([replicas("//a/directory"), replicas("//b/directory")])).toEqual([]);
  expect(repeated([replicas("//a/directory"), replicas("//b/directory", "ws://a:5430")])).toHaveLength(1);
});

test("directoryName() names all replicas", () => {
  expect(directoryName(replicas("//a/directory", "//b:1/directory"))).toBe("//a/directory,//b:1/directory");
});
