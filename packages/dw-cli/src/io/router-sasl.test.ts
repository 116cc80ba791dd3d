import { parseRouterUrl } from "@datawire/microserver/transport";
import { expect, test } from "vitest";
import { loginOf } from "./router-sasl.ts";

test.each([
  ["amqps://bob:s@vm1", null, "amqps://vm1:5671", "password"],
  ["amqps://vm1", "dw1_x", "amqps://vm1:5671", "token"],
  ["localhost", "dw1_x", "localhost:5672", "token"],
  // A token goes over TLS, or to this machine.
  ["vm1", "dw1_x", "vm1:5672", null],
  ["localhost", null, "localhost:5672", null],
])("loginOf() of %s with the token %s tells of %s, and that it gave its %s", (url, token, router, proof) => {
  expect(loginOf(parseRouterUrl(url), token)).toMatchObject({ router, proof });
});
