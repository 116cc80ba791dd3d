import { expect, test } from "vitest";
import { formatListenAddress, isLoopback, parseListenAddress, parseListenAddressOrOff } from "./listen-address.ts";

test.each([
  ["127.0.0.1:5431", "127.0.0.1", 5431],
  ["localhost:0", "localhost", 0],
  ["[::1]:5432", "::1", 5432],
  ["[fe80::1%eth0]:80", "fe80::1%eth0", 80],
  [":5431", "127.0.0.1", 5431],
  ["*:80", "::", 80],
])("parseListenAddress() reads %s", (text, host, port) => {
  expect(parseListenAddress(text)).toEqual({ host, port });
});

test.each([
  "",
  "5431",
  "localhost",
  "::1:5432",
  "host:65536",
  "host:-1",
  "host:port",
  "http://host:80",
  "a b:80",
  "[]:80",
])("parseListenAddress() refuses %j and quotes it", (text) => {
  expect(() => parseListenAddress(text)).toThrow(`Cannot listen on ${JSON.stringify(text)}: wanted HOST:PORT`);
});

test.each([
  ["5431", "it is a port without a host"],
  ["10.0.0.1", "it has no port"],
  ["::1:5432", "an IPv6 address stands in brackets"],
  ["host:65536", "port 65536 is not from 0 to 65535"],
  ["http://u:hunter2@host:80", "it is a URL"],
])("parseListenAddress() says what is wrong with %s, and no secret", (text, why) => {
  expect(() => parseListenAddress(text)).toThrow(why);
  expect(() => parseListenAddress(text)).not.toThrow("hunter2");
});

test("parseListenAddressOrOff() takes off for none", () => {
  expect(parseListenAddressOrOff("off")).toBeNull();
  expect(parseListenAddressOrOff(":1")).toEqual({ host: "127.0.0.1", port: 1 });
});

test("formatListenAddress() is what parseListenAddress() reads", () => {
  for (const text of ["127.0.0.1:5431", "[::1]:5432"]) expect(formatListenAddress(parseListenAddress(text))).toBe(text);
});

test.each([
  ["localhost", true],
  ["LOCALHOST.", true],
  ["api.localhost", true],
  ["127.8.9.1", true],
  ["::1", true],
  ["[::1]", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:7f00:1", true],
  ["0:0:0:0:0:0:0:1", true],
  ["64:ff9b::7f00:1", false],
  ["127.0.0.1.evil.example", false],
  ["localhost.evil.example", false],
  ["10.0.0.1", false],
  ["0.0.0.0", false],
  ["::", false],
])("isLoopback() of %s is %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
