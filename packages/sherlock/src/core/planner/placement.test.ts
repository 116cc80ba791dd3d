import { expect, test } from "vitest";
import { isIpLiteral } from "@datawire/protocol";
import { instance, service, catalogOf } from "../../testing/entities.ts";
import { EVERY_FEATURE } from "../../testing/features.ts";
import type { HaproxyFeatures } from "../model/haproxy-version.ts";
import { placeInstance, type Placement, weaknessOf } from "./placement.ts";

function placed(fields: Parameters<typeof instance>[2], features: Partial<HaproxyFeatures> = {}): Placement {
  const table = catalogOf(service("s", { settings: { timeoutMs: 20_000 } }), instance("s", "a", fields));
  const view = table.service("s");
  const [only] = view?.instances ?? [];
  if (view === null || only === undefined) throw new Error("the table has one instance");
  const result = placeInstance(view, only, {
    zone: null,
    resolve: (host) => ({ state: "known", address: isIpLiteral(host) ? host : "10.0.0.1" }),
    overrides: new Map(),
    features: { ...EVERY_FEATURE, ...features },
  });
  if (!result.ok) throw new Error(result.reason);
  return result.placement;
}

test("placeInstance() gives each host a backend of its own where the server's name cannot be Host", () => {
  const fields = { url: "http://vm1:8080/base" };
  expect(placed(fields).key.host).toBeNull();
  const { key, backend } = placed(fields, { hostFromName: false });
  expect(key.host).toBe("vm1:8080");
  expect(backend).toBe("s:v1:path:2Fbase:hostvm1:3A8080");
});

test.each([
  ["timeout", true, 0, "is cut at once, to be repeated"],
  ["timeout", false, 21_000, "outlives the time-out, which repeats it"],
  ["failed", true, 10_000, "has its drain time"],
  ["failed", false, 10_000, "has its drain time"],
] as const)(
  "placeInstance() of one that is down by %s, what is cut is repeated: %s: what it holds %s",
  (cause, repeatsCut, drainMs, _what) => {
    expect(placed({ state: "down", cause, drainMs: 10_000 }, { repeatsCut }).server.drainMs).toBe(drainMs);
  },
);

test.each([
  ["https://10.0.0.7:8443", undefined, true],
  ["https://[2001:db8::1]", undefined, true],
  ["https://vm101", undefined, false],
  ["http://10.0.0.7", undefined, false],
  ["https://127.0.0.1", undefined, false],
  ["https://10.0.0.7", { verify: true, serverName: "ledger.example" }, false],
  ["https://10.0.0.7", { verify: false, serverName: null }, false],
] as const)("weaknessOf() of %s with %j: %s", (url, tls, expected) => {
  const one = instance("s", "a", { url, tls });
  const view = catalogOf(service("s"), one).service("s");
  if (view === null) throw new Error("there is no service");
  const placed = placeInstance(view, one, {
    zone: null,
    resolve: (host) => ({ state: "known", address: isIpLiteral(host) ? host : "10.0.0.1" }),
    overrides: new Map(),
    features: EVERY_FEATURE,
  });
  if (!placed.ok) throw new Error(placed.reason);
  expect(weaknessOf(placed.placement) !== null).toBe(expected);
});
