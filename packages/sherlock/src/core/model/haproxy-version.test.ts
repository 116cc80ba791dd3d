import { expect, test } from "vitest";
import { lacksOf, parseHaproxyVersion } from "./haproxy-version.ts";

const FROZEN = "lets requests to a frozen instance wait for their time-out and repeats none of them";
const RELOADS = "takes a reload for each new instance";

test.each([
  ["HA-Proxy version 2.2.9-2+deb11u6 2023/12/23 - https://haproxy.org/", false, expect.anything()],
  ["HAProxy version 2.4.30-0ubuntu0.22.04.4 2026/11/04", true, [RELOADS, "cannot balance by a cookie"]],
  ["HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/", true, []],
  ["HAProxy version 2.8.30-0ubuntu0.24.04.2 2026/10/27", true, []],
  ["HAProxy version 3.0.11-1+deb13u3 2026/05/20", true, [FROZEN]],
  ["HAProxy version 3.2-dev1", true, [FROZEN]],
  [
    "HAProxy version 3.4.7-1 2026/10/14",
    true,
    [RELOADS, "shares by weight alone, without balance policies or slow start", FROZEN],
  ],
])("parseHaproxyVersion() of %s", (output, supported, lacks) => {
  const version = parseHaproxyVersion(output);
  expect({ supported: version?.supported, lacks: version && lacksOf(version.features) }).toEqual({ supported, lacks });
});

test("parseHaproxyVersion() knows other programs for what they are", () => {
  expect(parseHaproxyVersion("nginx version: nginx/1.22.1")).toBeNull();
});
