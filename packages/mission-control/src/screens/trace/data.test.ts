import { expect, test } from "vitest";
import { proxiedRequest } from "./data.ts";

const span = { service: "shop", instance: "vm1" };

test.each([
  [{ "datawire.caller": "monolith", "url.path": "/shop/orders/17" }, "/orders/17"],
  [{ "datawire.caller": "monolith", "url.path": "/shop" }, "/"],
  [{ "datawire.caller": "monolith" }, "/"],
])("proxiedRequest() of %j has the path %s", (attributes, path) => {
  expect(proxiedRequest({ ...span, attributes })).toEqual({ ...span, caller: "monolith", path });
});

test("proxiedRequest() of a span that no Sherlock made is null", () => {
  expect(proxiedRequest({ ...span, attributes: { "url.path": "/shop" } })).toBeNull();
});
