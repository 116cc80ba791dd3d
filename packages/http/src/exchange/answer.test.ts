import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { pathOf, queryOf } from "./answer.ts";

const asked = (url: string) => ({ url }) as IncomingMessage;

test.each([
  [
    "/v1/explain?path=/x?a=1&service=b",
    "/v1/explain",
    [
      ["path", "/x?a=1"],
      ["service", "b"],
    ],
  ],
  ["/v1/services", "/v1/services", []],
  ["/v1/services?a=1#b=2", "/v1/services", [["a", "1"]]],
  ["/v1/services#?a=1", "/v1/services", []],
])("pathOf() and queryOf() part %s at its first question mark", (url, path, query) => {
  expect([pathOf(asked(url)), [...queryOf(asked(url))]]).toEqual([path, query]);
});
