import type { ServiceListing } from "@datawire/api";
import { expect, test } from "vitest";
import { serviceRows, worstServices } from "./service-rows.ts";

const service = (name: string, status: ServiceListing["status"], errorPercent?: number): ServiceListing => ({
  service: name,
  protocol: "http",
  primary: "1",
  status,
  reason: null,
  instances: [],
  counts: { instances: 3, live: 2, held: 1 },
  traffic: errorPercent === undefined ? null : { rate: 2, errorPercent, p50: 1, p99: 4 },
});

test("serviceRows() take what was counted, and know nothing of what nobody counted", () => {
  const rows = serviceRows([service("a", "live", 10), service("b", "live")]);
  expect(rows[0]).toMatchObject({ rate: 2, errors: 0.1, p99: 4, live: 2, instances: 3, held: 1 });
  expect(rows[1]).toMatchObject({ rate: null, errors: null, p99: null });
});

test("worstServices() begins with those that are down, then by errors", () => {
  const rows = serviceRows([
    service("fine", "live", 0),
    service("failing", "live", 50),
    service("weak", "degraded"),
    service("gone", "down"),
  ]);
  expect(worstServices(rows, 3).map((row) => row.service)).toEqual(["gone", "weak", "failing"]);
});
