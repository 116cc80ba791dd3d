import type { ServiceListing } from "@datawire/api";
import { expect, test } from "vitest";
import { serviceRows, worstServices } from "./service-rows.ts";

const service = (name: string, status: ServiceListing["status"]): ServiceListing => ({
  service: name,
  protocol: "http",
  primary: "1",
  status,
  reason: null,
  instances: [],
});

const counted = (name: string, requests: number, errors: number) => ({
  caller: "monolith",
  service: name,
  version: "1",
  instance: "a",
  requests,
  responses: [0, requests - errors, 0, 0, errors],
  failures: 0,
  latencies: [4, requests],
});

test("serviceRows() divides by the time, and knows nothing of what nobody counted", () => {
  const rows = serviceRows([service("a", "live"), service("b", "live")], [counted("a", 30, 3)], 15);
  expect(rows[0]).toMatchObject({ rate: 2, errors: 0.1, p99: 4 });
  expect(rows[1]).toMatchObject({ rate: null, errors: null, p99: null });
});

test("worstServices() begins with those that are down, then by errors", () => {
  const services = [
    service("fine", "live"),
    service("failing", "live"),
    service("weak", "degraded"),
    service("gone", "down"),
  ];
  const rows = serviceRows(services, [counted("fine", 100, 0), counted("failing", 100, 50)], 15);
  expect(worstServices(rows, 3).map((row) => row.service)).toEqual(["gone", "weak", "failing"]);
});
