import { expect, test } from "vitest";
import { parseBalance, parseSticky, parseWhen } from "./matchers.ts";

test.each([
  ["header:X-Canary=1", { kind: "header", name: "x-canary", value: "1" }],
  ["cookie:Beta=a=b", { kind: "cookie", name: "Beta", value: "a=b" }],
  ["query:v=2", { kind: "query", name: "v", value: "2" }],
  ["path:/beta", { kind: "path", prefix: "/beta" }],
])("parseWhen() reads %s", (text, expected) => {
  expect(parseWhen(text)).toEqual(expected);
});

test.each([
  "",
  "header",
  "header:X",
  "header:=1",
  "header:X=",
  "header:X Y=1",
  "cookie:a=b c",
  "cookie:$a=b",
  "path:beta",
  "path:/a?b",
  "ip:1",
  "header:X=a\nb",
])("parseWhen() refuses %j", (text) => {
  expect(() => parseWhen(text)).toThrow(/as --when/);
});

test("parseSticky() reads a header, a cookie or the address", () => {
  expect(parseSticky("header:X-User")).toEqual({ kind: "header", name: "x-user" });
  expect(parseSticky("cookie:SID")).toEqual({ kind: "cookie", name: "SID" });
  expect(parseSticky("ip")).toEqual({ kind: "ip" });
  expect(() => parseSticky("path")).toThrow(/wanted header:NAME, cookie:NAME or ip/);
});

test.each([
  "round-robin",
  "random",
  "least-connections",
  "ordered",
  "consistent:header:X-User",
  "consistent:cookie:s",
  "consistent:path",
  "consistent:ip",
  "cookie:SERVERID",
])("parseBalance() knows %s", (text) => {
  expect(parseBalance(text).kind).toBe(text.split(":")[0]);
});

test.each([
  "",
  "roundrobin",
  "consistent",
  "consistent:header:",
  "consistent:header:a b",
  "cookie:",
  "cookie",
  "cookie:a=b",
])("parseBalance() refuses %j", (text) => {
  expect(() => parseBalance(text)).toThrow(/as balance/);
});

test.each(["__Host-id", "__secure-id"])(
  "parseBalance() says why browsers would never bring the cookie %s back",
  (name) => {
    expect(() => parseBalance(`cookie:${name}`)).toThrow(`browsers keep a cookie called "${name}" only over TLS`);
  },
);

test("parseBalance() knows what was meant by another's name", () => {
  expect(() => parseBalance("roundrobin")).toThrow(
    'Cannot use "roundrobin" as balance: did you mean round-robin? wanted',
  );
});
