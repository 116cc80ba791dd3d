import { expect, test } from "vitest";
import { parseRouterAddress } from "./router-address.ts";

test.each([
  ["localhost", "localhost", 5672],
  ["vm1.example.com:25", "vm1.example.com", 25],
  ["//vm1", "vm1", 5672],
  ["amqp://10.0.0.7:5673/", "10.0.0.7", 5673],
  ["[::1]:5673", "::1", 5673],
])("parseRouterAddress() of %s is %s and %i", (text, host, port) => {
  expect(parseRouterAddress(text)).toEqual({ host, port });
});

test.each(["", "a b", "http://x", "x:0", "x:99999", "::1"])("parseRouterAddress() refuses %j", (text) => {
  expect(() => parseRouterAddress(text)).toThrow("wanted HOST[:PORT] or amqp://HOST[:PORT]");
});
