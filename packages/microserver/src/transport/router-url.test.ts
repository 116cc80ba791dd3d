import { expect, test } from "vitest";
import { parseRouterUrl } from "./router-url.ts";

const plain = { user: null, password: null, isTls: false };
test.each([
  ["vm101", { ...plain, host: "vm101", port: 5672 }],
  ["//vm101:5673/", { ...plain, host: "vm101", port: 5673 }],
  ["[::1]:5673", { ...plain, host: "::1", port: 5673 }],
  ["amqps://bob:p%40ss@vm101", { host: "vm101", port: 5671, user: "bob", password: "p@ss", isTls: true }],
])("parseRouterUrl() reads %s", (text, expected) => {
  expect(parseRouterUrl(text)).toEqual(expected);
});

test.each(["", "http://vm101", "vm101:0", "vm101:70000", "amqp://bob:%zz@vm101"])(
  "parseRouterUrl() refuses %j",
  (text) => {
    expect(() => parseRouterUrl(text)).toThrow(/^Cannot use .* as the address of a router/);
  },
);

test("parseRouterUrl() quotes no password", () => {
  expect(() => parseRouterUrl("amqp://bob:secret@vm101:x")).toThrow(/^(?!.*secret)/);
});
