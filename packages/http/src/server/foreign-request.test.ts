import { expect, test } from "vitest";
import { foreignRequest } from "./foreign-request.ts";

test.each([
  ["localhost:5431", undefined, null],
  ["127.0.0.1:5431", undefined, null],
  ["[::1]:5431", undefined, null],
  ["own.example.com:5431", undefined, null],
  ["localhost.:5431", undefined, null],
  ["own.example.com.", "http://own.example.com.", null],
  ["localhost:5431", "http://localhost:5431", null],
  ["evil.example:5431", undefined, "Host"],
  ["localhost.evil.example", undefined, "Host"],
  ["localhost:5431", "https://evil.example", "Origin"],
  ["localhost:5431", "http://localhost:8080", "Origin"],
  ["localhost:5431", "null", "Origin"],
  // What a client of the original MDK sends, and what only looks like it.
  ["localhost", "ws://localhost:5430/rtp?token=x", null],
  ["127.0.0.1:5430", "wss://127.0.0.1:5430/rtp?token=x", null],
  ["127.0.0.1:5430", "ws://127.0.0.1:9999/rtp?token=x", "Origin"],
  ["localhost", "ws://evil.example/rtp?token=x", "Origin"],
  ["localhost", "http://localhost:5430/rtp", "Origin"],
  [undefined, undefined, "Host"],
  ["a b", undefined, "Host"],
])("foreignRequest() with Host %s and Origin %s", (host, origin, expected) => {
  const reason = foreignRequest({ host, origin }, { names: ["own.example.com"], loopbackOnly: true });
  if (expected === null) expect(reason).toBeNull();
  else expect(reason).toContain(expected);
});

test("foreignRequest() takes any Host beyond loopback, but no foreign Origin", () => {
  const options = { names: [], loopbackOnly: false };
  expect(foreignRequest({ host: "vm101.example.com", origin: undefined }, options)).toBeNull();
  expect(foreignRequest({ host: "vm101.example.com", origin: "https://evil.example" }, options)).toContain("Origin");
});

test("foreignRequest() repeats nothing of an Origin that may be a secret", () => {
  const reason = foreignRequest(
    { host: "localhost", origin: "ws://evil.example:5430/rtp?token=dw1_secret" },
    { names: [], loopbackOnly: true },
  );
  expect(reason).toContain("evil.example");
  expect(reason).not.toContain("secret");
});

test.each([
  ["127.0.0.1:5430", "https://ops.example.com", true],
  ["ops.example.com", "https://ops.example.com", true],
  ["ops.example.com", undefined, true],
  ["127.0.0.1:5430", "https://evil.example", false],
  ["127.0.0.1:5430", "http://ops.example.com", false],
])("foreignRequest() with Host %s and Origin %s behind a proxy: %s", (host, origin, passes) => {
  const site = { names: [], loopbackOnly: true, url: "https://ops.example.com/dstack/", originSetting: "console.url" };
  const reason = foreignRequest({ host, origin }, site);
  if (passes) expect(reason).toBeNull();
  else expect(reason).toContain("set console.url");
});
