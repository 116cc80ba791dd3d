import type { InstanceListing } from "@datawire/api";
import { expect, test } from "vitest";
import { generationsOf, type ServiceFacts, targetsOf, versionGroups } from "./data.ts";

const instance = (name: string, version: string | null): InstanceListing => ({
  name,
  version,
  url: "http://127.0.0.1:1",
  state: "live",
  role: "primary",
  reason: null,
  zone: null,
  since: "2026-01-01T00:00:00Z",
  weight: 100,
  tags: [],
});

test("targetsOf() are the generations, longer versions and instances", () => {
  expect(targetsOf("barker", [instance("a", "1.2"), instance("b", "2"), instance("c", null)])).toEqual([
    "//barker(2)",
    "//barker(1)",
    "//barker(1.2)",
    "//barker@a",
    "//barker@b",
    "//barker@c",
  ]);
  expect(generationsOf([instance("a", "9"), instance("b", "10.1")])).toEqual(["10", "9"]);
});

test("versionGroups() begin with the newest version and add up the shares of any caller", () => {
  const facts = {
    service: {
      service: "barker",
      protocol: "http",
      primary: "1",
      status: "live",
      reason: null,
      instances: [instance("a", "9"), instance("b", "10")],
    },
    distributions: [
      {
        caller: "*",
        service: "barker",
        shares: [
          { target: "//barker(9)", percent: 100, reason: "primary", instances: [{ name: "a", url: "", percent: 100 }] },
        ],
        excluded: [],
      },
    ],
    routes: [],
  } as unknown as ServiceFacts;
  const groups = versionGroups(facts);
  expect(groups.map(({ version }) => version)).toEqual(["10", "9"]);
  expect(groups.flatMap(({ rows }) => rows).map(({ share, rate }) => [share, rate])).toEqual([
    [0, null],
    [100, null],
  ]);
});
