import { expect, test } from "vitest";
import { loopbackAddresses, pickAddress } from "./pick-address.ts";

test.each<[string[], string | null, string | null, string]>([
  [["10.0.0.2", "10.0.0.10"], null, "10.0.0.2", "the lowest, by number"],
  [["10.0.0.10", "10.0.0.2"], null, "10.0.0.2", "in whatever order they come"],
  [["2001:db8::1", "10.0.0.2"], null, "10.0.0.2", "IPv4 first"],
  [["2001:db8::a", "2001:db8::9"], null, "2001:db8::9", "the lowest of IPv6 where there is no other"],
  [["10.0.0.1", "10.0.0.2"], "10.0.0.2", "10.0.0.2", "the one in use while it is there"],
  [["10.0.0.1"], "10.0.0.2", "10.0.0.1", "another when that has gone"],
  [["fe80::1%eth0"], null, null, "none that is of use on one interface only"],
  [[], null, null, "none of none"],
])("pickAddress() of %j, in use %s, is %s: %s", (found, current, expected) => {
  expect(pickAddress(found, current)).toBe(expected);
});

test.each([
  ["localhost", ["127.0.0.1", "::1"]],
  ["Web.LOCALHOST.", ["127.0.0.1", "::1"]],
  ["vm101", null],
])("loopbackAddresses() of %s", (host, expected) => {
  expect(loopbackAddresses(host)).toEqual(expected);
});
