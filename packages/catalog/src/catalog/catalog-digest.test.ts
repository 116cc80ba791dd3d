import { expect, test } from "vitest";
import { emptyChange, type Instance, type RouteTable, type Service, serviceSchema } from "@datawire/protocol";
import { Catalog } from "./catalog.ts";
import { instance, routes } from "../testing/entities.ts";

const hashOf = (content: { services?: Service[]; instances?: Instance[]; tables?: RouteTable[] }): string => {
  const table = new Catalog();
  table.apply({ ...emptyChange(), ...content });
  return table.hash();
};

const one = instance("barker@vm101(1.4)", { reason: "naïve" });
const service = serviceSchema.parse({ name: "barker", primary: "1" });
const routing = routes("monolith", "barker", [["//barker(2)", 1_000]]);

test("hash() is what docs/protocol.md says, for those who write another client", () => {
  expect(new Catalog().hash()).toBe("0000000000000000");
  expect(hashOf({ instances: [one] })).toBe("44031b9832843a7b");
  expect(hashOf({ services: [service], instances: [one], tables: [routing] })).toBe("b962c6da880869bb");
});

test("hash() does not depend on the order in which entities came", () => {
  const two = instance("barker@vm102(2)");
  expect(hashOf({ instances: [one, two] })).toBe(hashOf({ instances: [two, one] }));
});

// Not `cause`: an older peer takes one that it does not know for null.
const other: Omit<Instance, "cause"> = {
  service: "other",
  name: "other",
  version: "9",
  url: "http://other",
  protocol: "h2",
  state: "lost",
  reason: "other",
  weight: 1,
  zone: "other",
  tags: ["other"],
  proxyPort: 6_000,
  drainMs: 1,
  since: 1,
  order: 1,
};

test.each(Object.keys(other) as (keyof typeof other)[])("hash() covers %s of an instance", (field) => {
  expect(hashOf({ instances: [{ ...one, [field]: other[field] }] })).not.toBe(hashOf({ instances: [one] }));
});

const otherSettings = {
  defaultUrl: "http://other",
  failover: "none",
  balance: "random",
  timeoutMs: 1,
  connectTimeoutMs: 1,
  queueTimeoutMs: 1,
  retries: 1,
  maxConnections: 1,
  slowStartMs: 1,
} as const satisfies Service["settings"];
const otherService: Service = {
  name: "other",
  protocol: "tcp",
  primary: "2",
  declared: true,
  proxyPort: 6_000,
  settings: otherSettings,
};

test.each(Object.keys(otherService) as (keyof Service)[])("hash() covers %s of a service", (field) => {
  expect(hashOf({ services: [{ ...service, [field]: otherService[field] }] })).not.toBe(
    hashOf({ services: [service] }),
  );
});

test.each(Object.keys(otherSettings) as (keyof Service["settings"])[])(
  "hash() covers the setting %s of a service",
  (field) => {
    const settings = { ...service.settings, [field]: otherSettings[field] };
    expect(hashOf({ services: [{ ...service, settings }] })).not.toBe(hashOf({ services: [service] }));
  },
);

test.each<[string, RouteTable]>([
  ["the caller", routes("other", "barker", [["//barker(2)", 1_000]])],
  ["the service", routes("monolith", "other", [["//barker(2)", 1_000]])],
  ["what it is sticky by", routes("monolith", "barker", [["//barker(2)", 1_000]], "ip")],
  ["a target", routes("monolith", "barker", [["//barker(3)", 1_000]])],
  ["a share", routes("monolith", "barker", [["//barker(2)", 2_000]])],
  ["slots", routes("monolith", "barker", [["//barker(2)", 1_000, { slots: [[1, 1_001]] }]])],
  ["a condition", routes("monolith", "barker", [["//barker(2)", 1_000, { when: "path:/x" }]])],
  ["a reading", routes("monolith", "barker", [["//barker(2)", 1_000, { reading: "service" }]])],
  ["an order", routes("monolith", "barker", [["//barker(2)", 1_000, { order: 7 }]])],
  ["an expiry", routes("monolith", "barker", [["//barker(2)", 1_000, { expiry: { atMs: 1, before: null } }]])],
])("hash() covers %s of a route table", (_, changed) => {
  expect(hashOf({ tables: [changed] })).not.toBe(hashOf({ tables: [routing] }));
});
