import fc from "../testing/random.ts";
import { expect, test } from "vitest";
import {
  formatServiceAddress,
  parseAddress,
  parseCallerAddress,
  parseDirectoryAddress,
  parseServiceAddress,
} from "./address.ts";

test.each([
  ["//barker", { service: "barker", instance: null, version: null }],
  ["//barker.internal", { service: "barker.internal", instance: null, version: null }],
  ["//barker(2)", { service: "barker", instance: null, version: "2" }],
  ["//barker:2", { service: "barker", instance: null, version: "2" }],
  ["//barker:1.4.2-rc1+5", { service: "barker", instance: null, version: "1.4.2-rc1+5" }],
  ["//barker@vm102", { service: "barker", instance: "vm102", version: null }],
  ["//services/emitter", { service: "emitter", instance: null, version: null }],
  ["//services:5430/emitter(2)", { service: "emitter", instance: null, version: "2" }],
  ["//services/emitter@vm101", { service: "emitter", instance: "vm101", version: null }],
])("parseServiceAddress() reads %s", (text, expected) => {
  expect(parseServiceAddress(text, ["services"])).toEqual(expected);
});

test.each([
  ["barker", /begins with \/\/, as in \/\/barker$/],
  ["http://barker:80/x", /begins with \/\/, as in \/\/barker$/],
  ["http://Barker", /begins with \/\/, as in \/\/barker$/],
  ["", /begins with \/\/, as in \/\/barker$/],
  ["(2)", /quote the address/],
  ["//barker(2", /quote the address/],
  ["//barker2)", /quote the address/],
  ["//barker()", /no version between the parentheses; .*quote/],
  ["//barker\\(2\\)", /quote the address/],
  ["'//barker(2)'", /begins with \/\//],
  ["//barker:", /no version after the colon/],
  ["//Barker", /"Barker" as a service name: .* a-z 0-9 .*did you mean "barker"/],
  ["//barker-", /beginning and ending with/],
  [`//${"a".repeat(101)}`, /1 to 100/],
  ["//", /no name after/],
  ["//a/b/c", /more than one name/],
  ["//a@b@c", /more than one @/],
  ["//barker@vm102(2)", /an instance and a version/],
  ["//barker(2 3)", /"2 3" as a version/],
  ["//elsewhere/emitter", /"elsewhere" is none of the directories \(in use: services\)/],
  ["//barker\nserver x", /as a service name/],
])("parseServiceAddress() refuses %j and says why", (text, message) => {
  expect(() => parseServiceAddress(text, ["services"])).toThrow(message);
});

test("parseServiceAddress() gives back what formatServiceAddress() wrote", () => {
  const name = fc.stringMatching(/^[a-z0-9_](?:[a-z0-9._-]{0,20}[a-z0-9_])?$/);
  const version = fc.stringMatching(/^[A-Za-z0-9._+-]{1,20}$/);
  const address = fc.oneof(
    fc.record({ service: name, instance: fc.constant(null), version: fc.option(version) }),
    fc.record({ service: name, instance: name, version: fc.constant(null) }),
  );
  fc.assert(
    fc.property(address, (one) => {
      expect(parseServiceAddress(formatServiceAddress(one))).toEqual(one);
    }),
  );
});

test("parseAddress() throws nothing but its own error, whatever is typed", () => {
  const pieces = fc.array(
    fc.constantFrom("//", "a", "(", ")", ":", "@", "/", "2", "[", "]", " ", "'", "\\", "*", "é"),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      try {
        parseAddress(parts.join(""));
      } catch (error) {
        expect(error).toMatchObject({ name: "ProtocolError", code: "invalid_argument" });
      }
    }),
  );
});

test.each([
  ["//services/directory", { host: "services", port: 5430, tls: null }],
  ["//localhost:5431/directory", { host: "localhost", port: 5431, tls: null }],
  ["//[::1]:5431/directory", { host: "[::1]", port: 5431, tls: null }],
  ["wss://dir-a.example.com:5430", { host: "dir-a.example.com", port: 5430, tls: true }],
  ["ws://dir-a", { host: "dir-a", port: 5430, tls: false }],
])("parseDirectoryAddress() reads %s", (text, expected) => {
  expect(parseDirectoryAddress(text)).toEqual(expected);
});

test.each([
  "services",
  "//services/emitter",
  "//a b/directory",
  "//host:0/directory",
  "//host:70000/directory",
  "ftp://host",
])("parseDirectoryAddress() refuses %s", (text) => {
  expect(() => parseDirectoryAddress(text)).toThrow(/Cannot read directory address/);
});

test("parseCallerAddress() takes a name or any caller, and nothing else", () => {
  expect(parseCallerAddress("//monolith")).toBe("monolith");
  expect(parseCallerAddress("//*")).toBe("*");
  expect(() => parseCallerAddress("//monolith(2)")).toThrow(/a caller is written \/\/NAME/);
});

test("parseDirectoryAddress() says that credentials do not stand in an address, and repeats none", () => {
  const error = (text: string): string => {
    try {
      return JSON.stringify(parseDirectoryAddress(text));
    } catch (cause) {
      return String(cause);
    }
  };
  for (const text of ["wss://u:hunter2@h", "//hunter2@h/directory", "https://u:hunt/hunter2@h"]) {
    expect(error(text)).not.toContain("hunter2");
  }
  expect(error("wss://u:hunter2@h")).toContain("it holds a user name or a password; a token is given as `token_file`");
  expect(error("//h:99x")).toContain("its host or port is malformed");
});

test.each([
  ["//foo/", "there is no name after its last slash"],
  ["//foo@", "there is no instance after @"],
])("parseServiceAddress() says what %s lacks", (text, reason) => {
  expect(() => parseServiceAddress(text)).toThrow(`Cannot read address "${text}": ${reason}`);
});
