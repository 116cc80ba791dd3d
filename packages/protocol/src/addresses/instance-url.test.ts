import { expect, test } from "vitest";
import { familyOf, isMachineLocal, parseInstanceUrl, PROTOCOLS, protocolOfUrl } from "./instance-url.ts";

test.each([
  ["http://vm101/emitter", { host: "vm101", port: 80, authority: "vm101", base: "/emitter" }],
  ["http://VM101:8080/a%2Fb/", { host: "vm101", port: 8080, authority: "vm101:8080", base: "/a%2Fb" }],
  ["https://[2001:db8::1]:8443", { host: "2001:db8::1", port: 8443, authority: "[2001:db8::1]:8443", base: "" }],
  ["https://vm101:443/", { host: "vm101", port: 443, authority: "vm101", base: "" }],
])("parseInstanceUrl() takes %s apart", (text, expected) => {
  expect(parseInstanceUrl(text, "http")).toMatchObject(expected);
});

test.each([
  ["vm101:8080", /wanted http/],
  ["ftp://vm101", /protocol http/],
  ["tcp://vm101:1", /protocol http/],
  ["http://", /no host/],
  ["http://user:pw@vm101", /user name/],
  ["http://vm101:0", /port 0/],
  ["http://vm101:99999", /port 99999/],
  ["http://vm101/a b", /percent-encoded/],
  ["http://vm101/%[src]", /percent-encoded/],
  ["http://vm101/a?b", /query/],
  ["http://vm101/a/../b", /\.\. part/],
  ["http://999.1.1.1", /no IPv4/],
  ["http://[::g]", /no IPv6/],
  ["http://[1.2.3.4]", /no IPv6/],
  ["http://[fe80::1%25eth0]", /no IPv6/],
  ["http://[::1:]", /no IPv6/],
  ["http://127.1", /no IPv4/],
  ["http://2130706433", /no IPv4/],
  ["http://0x7f.1", /no IPv4/],
  ["http://0X7F000001:80", /no IPv4/],
  ["http://0x", /no IPv4/],
  ["http://127.0.0.1.", /no IPv4/],
  ["http://0177.0.0.1", /no IPv4/],
  ["http://vm.101", /no IPv4/],
  ["http://127%2e0.0.1", /no IPv4/],
  ["http://１２７.0.0.1", /no IPv4/],
  ["http://loc%61lhost", /no host name/],
  ["http://\u212Abarker", /no host name/],
  ["http://vm101\nserver evil", /it has a blank in it/],
  ["http://vm101:8080 ", /it has a blank in it/],
  [`http://vm101/${"a".repeat(2000)}`, /1024 characters/],
])("parseInstanceUrl() refuses %j", (text, message) => {
  expect(() => parseInstanceUrl(text, "http")).toThrow(message);
});

test("parseInstanceUrl() wants a port and no path of a tcp service", () => {
  expect(parseInstanceUrl("tcp://db:5432", "tcp")).toMatchObject({ host: "db", port: 5432, authority: "db:5432" });
  expect(() => parseInstanceUrl("tcp://db", "tcp")).toThrow(/needs a port/);
  expect(() => parseInstanceUrl("tcp://db:5432/x", "tcp")).toThrow(/no path/);
});

test.each([
  [
    "amqp://vm101:5673/barker",
    { scheme: "amqp", host: "vm101", port: 5_673, authority: "vm101:5673", base: "/barker" },
  ],
  ["amqp://vm101", { scheme: "amqp", port: 5_672, authority: "vm101", base: "" }],
  ["AMQPS://vm101/a/b/", { scheme: "amqps", port: 5_671, authority: "vm101", base: "/a/b" }],
])("parseInstanceUrl() takes %s apart for a service of amqp", (text, expected) => {
  expect(protocolOfUrl(text)).toBe("amqp");
  expect(parseInstanceUrl(text, "amqp")).toMatchObject(expected);
  expect(() => parseInstanceUrl(text, "http")).toThrow(/protocol http/);
});

test("parseInstanceUrl() refuses other URLs for a service of amqp", () => {
  expect(() => parseInstanceUrl("http://vm101", "amqp")).toThrow("wanted amqp://HOST[:PORT][/ADDRESS]".slice(7));
  expect(() => parseInstanceUrl("tcps://vm101:1", "tcp")).toThrow(/protocol tcp/);
});

test("protocolOfUrl() and familyOf() say what belongs together", () => {
  expect(["http://h", "https://h", "tcp://h:1", "Amqp://h", "x"].map(protocolOfUrl)).toEqual([
    "http",
    "http",
    "tcp",
    "amqp",
    "http",
  ]);
  expect(PROTOCOLS.map(familyOf)).toEqual(["http", "http", "tcp", "amqp"]);
});

test.each([
  ["localhost", true],
  ["127.0.0.9", true],
  ["::1", true],
  ["169.254.1.1", true],
  ["fe80::1", true],
  ["0.0.0.0", true],
  ["LOCALHOST.", true],
  ["a.localhost", true],
  ["::", true],
  ["0:0:0:0:0:0:0:1", true],
  ["0::0", true],
  ["::ffff:127.0.0.1", true],
  ["::ffff:7f00:1", true],
  ["0:0:0:0:0:FFFF:7f00:1", true],
  ["::ffff:0.0.0.0", true],
  ["::ffff:169.254.169.254", true],
  ["::ffff:a9fe:a9fe", true],
  ["::127.0.0.1", true],
  ["::ffff:0:127.0.0.1", true],
  ["64:ff9b::7f00:1", true],
  ["64:ff9b:1::a9fe:a9fe", true],
  ["2002:7f00:1::1", true],
  ["2002:a9fe:a9fe::", true],
  ["febf::1", true],
  ["fe80::1%eth0", true],
  ["fd00:ec2::254", true],
  ["100.100.100.200", true],
  ["vm101", false],
  ["notlocalhost", false],
  ["localhost.example.com", false],
  ["10.0.0.1", false],
  ["128.0.0.1", false],
  ["::2", true], // IPv4-compatible 0.0.0.2
  ["1::1", false],
  ["fec0::1", false],
  ["::ffff:10.0.0.1", false],
  ["64:ff9b::a00:1", false],
  ["2002:a00:1::", false],
  ["fd00::1", false],
])("isMachineLocal() %s: %s", (host, expected) => {
  expect(isMachineLocal(host)).toBe(expected);
});
