import type { Counter } from "@datawire/protocol";

/** What an instance of a version has served, all of it well. */
export const counter = (requests: number, more: Partial<Counter> = {}): Counter => ({
  service: "barker",
  version: "1",
  instance: "vm1",
  requests,
  responses: [0, requests, 0, 0, 0],
  failures: 0,
  latencyMs: { average: 2, max: 5 },
  ...more,
});
