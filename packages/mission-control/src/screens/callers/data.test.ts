import { expect, test } from "vitest";
import { callerRows } from "./data.ts";

const edge = (service: string, requests: number) => ({
  caller: "monolith",
  service,
  requests,
  errors: 0,
  p50: null,
  p99: null,
});

test("callerRows() say how far behind each is, and what it calls most", () => {
  const caller = { name: "monolith", kind: "sherlock" as const, version: "1", zone: null, revision: 7, since: "" };
  const answer = { epoch: "e", revision: 9, callers: [caller, { ...caller, name: "idle", revision: null }] };
  const rows = callerRows(answer, [edge("a", 10), edge("b", 20)], 15);
  expect(rows[0]).toMatchObject({ lag: 2, rate: 2, services: ["b", "a"] });
  expect(rows[1]).toMatchObject({ lag: null, rate: null, services: [] });
});
