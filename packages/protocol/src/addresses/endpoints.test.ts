import { expect, test } from "vitest";
import { answersAlike, endpointsOf } from "./endpoints.ts";

test.each([
  ["http://127.0.0.1:8090", "http://127.0.0.1:8090/base", "another base path"],
  ["http://10.0.0.1", "http://10.0.0.1:80", "the default port"],
  ["https://10.0.0.1", "https://10.0.0.1:443/x", "the default port of https"],
  ["http://VM1.example.com:1", "http://vm1.example.com.:1", "another spelling of a name"],
  ["http://[::1]:1", "http://[0:0:0:0:0:0:0:1]:1", "another spelling of an IPv6 address"],
  ["http://[::ffff:10.0.0.1]:1", "http://10.0.0.1:1", "an IPv4 address within one of IPv6"],
  ["http://[2001:db8::a]:1", "https://[2001:DB8:0::A]:1", "another scheme"],
  ["http://localhost:1", "http://127.0.0.1:1", "localhost"],
  ["http://x.localhost:1", "http://[::1]:1", "localhost of IPv6"],
])("endpointsOf() finds %s and %s to be one: %s", (a, b) => {
  const others = endpointsOf({ url: b, protocol: "http" });
  expect(endpointsOf({ url: a, protocol: "http" }).filter((one) => others.includes(one))).toHaveLength(1);
});

test.each([
  ["http://127.0.0.1:8090", "http://127.0.0.2:8090"],
  ["http://127.0.0.1:8090", "http://127.0.0.1:8091"],
  ["http://vm1:8090", "http://vm10:8090"],
  ["http://[::1]:1", "http://127.0.0.1:1"],
])("endpointsOf() keeps %s and %s apart", (a, b) => {
  expect(endpointsOf({ url: a, protocol: "http" })).not.toEqual(endpointsOf({ url: b, protocol: "http" }));
});

test("endpointsOf() says nothing of what is no URL of an instance", () => {
  expect(endpointsOf({ url: "tcp://h", protocol: "tcp" })).toEqual([]);
  expect(endpointsOf({ url: "tcp://h:1", protocol: "tcp" })).toEqual(["h:1"]);
});

test.each([
  ["http://h:1", "http://h:1", true],
  ["http://h:1", "http://h:1/base", true],
  ["http://h:1/base/", "http://h:1/base/more", true],
  ["http://h:1/a", "http://h:1/b", false],
  ["http://h:1/base", "http://h:1/base2", false],
  ["http://h:1", "http://h:2", false],
  ["http://h:1", "http:// no URL", false],
])("answersAlike() of %s and %s is %s", (a, b, expected) => {
  const [one, other] = [
    { url: a, protocol: "http" },
    { url: b, protocol: "http" },
  ] as const;
  expect(answersAlike(one, other)).toBe(expected);
  expect(answersAlike(other, one)).toBe(expected);
});
