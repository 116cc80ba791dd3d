import type { ServiceListing } from "@datawire/api";
import { expect, test } from "vitest";
import { renderPage } from "./page.ts";

const listing = (service: string, protocol: "http" | "tcp"): ServiceListing => ({
  service,
  protocol,
  primary: null,
  status: "live",
  reason: null,
  instances: [],
});

const input = {
  caller: "monolith",
  services: [listing("barker", "http"), listing("db", "tcp"), listing("lone", "tcp")],
  tcp: new Map([["db", "127.0.0.1:6001"]]),
  notice: null,
};

test("renderPage() names every service and where it is reached", () => {
  expect(renderPage(input, "*/*").body).toBe(`Services that monolith can reach here:
/barker/  live, 0 of 0 live
db: 127.0.0.1:6001  live, 0 of 0 live
lone: no local port  live, 0 of 0 live
`);
  expect(renderPage(input, "text/html").body).toContain("<td>db: 127.0.0.1:6001<td>");
  expect(JSON.parse(renderPage(input, "application/json").body)).toMatchObject({
    services: [{ service: "barker", at: "/barker/" }, { service: "db", at: "127.0.0.1:6001" }, { service: "lone" }],
  });
});
