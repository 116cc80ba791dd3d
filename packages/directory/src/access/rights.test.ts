import type { Right } from "@datawire/api";
import { ROLES } from "@datawire/protocol";
import { expect, test } from "vitest";
import { hasRight, rolesWith } from "./rights.ts";

test.each<[Right, string]>([
  ["register", "library, watson or admin"],
  ["subscribe", "router, viewer, library, sherlock, operator or admin"],
  ["read", "viewer, sherlock, operator or admin"],
  ["change", "operator or admin"],
  ["administer", "admin"],
  ["log", "client, router, library, watson, sherlock, operator or admin"],
  ["message", "client, router, library, operator or admin"],
  ["route", "router or admin"],
  ["trace", "viewer, library, sherlock, operator or admin"],
])("the right to %s belongs to %s", (right, roles) => {
  expect(rolesWith(right)).toBe(roles);
  expect(ROLES.filter((role) => hasRight(role, right)).join()).toBe(roles.replace(" or ", ",").replaceAll(", ", ","));
});
