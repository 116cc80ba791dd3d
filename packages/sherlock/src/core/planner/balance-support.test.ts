import { expect, test } from "vitest";
import { parseBalance, type ServiceProtocol } from "@datawire/protocol";
import { EVERY_FEATURE } from "../../testing/features.ts";
import { missingForBalance } from "./balance-support.ts";

const BY_WEIGHT = "wanted HAProxy 3.2 or older; instances share by weight";

test.each<[policy: string, protocol: ServiceProtocol, hostFromName: boolean, missing: string | null]>([
  ["least-connections", "http", true, null],
  ["least-connections", "http", false, `least-connections: ${BY_WEIGHT}`],
  ["least-connections", "tcp", false, null],
  ["consistent:ip", "h2", false, `consistent: ${BY_WEIGHT}`],
  ["ordered", "http", false, null],
  ["random", "http", false, null],
  ["cookie:id", "http", false, null],
  ["cookie:id", "h2", true, null],
  ["cookie:id", "tcp", true, "cookie:id: a TCP service has no cookies; it is round-robin"],
])("missingForBalance() of %s for %s, Host from the server's name: %s", (policy, protocol, hostFromName, missing) => {
  expect(missingForBalance(parseBalance(policy), protocol, { ...EVERY_FEATURE, hostFromName, stickyIp: true })).toBe(
    missing,
  );
});

test("missingForBalance() knows that callers on loopback have one address", () => {
  const missing = (protocol: ServiceProtocol, stickyIp: boolean) =>
    missingForBalance(parseBalance("consistent:ip"), protocol, { ...EVERY_FEATURE, stickyIp });
  expect(missing("http", false)).toMatch(/^consistent:ip: on loopback/);
  expect([missing("http", true), missing("tcp", false)]).toEqual([null, null]);
});

test("missingForBalance() knows that cookies are hashed since HAProxy 2.6", () => {
  const cookie = parseBalance("consistent:cookie:id");
  expect(missingForBalance(cookie, "http", { ...EVERY_FEATURE, stickyIp: false })).toBeNull();
  expect(missingForBalance(cookie, "http", { ...EVERY_FEATURE, stickyIp: false, hashBalance: false })).toBe(
    "consistent:cookie:id: wanted HAProxy 2.6 or newer; it is round-robin",
  );
});
