import { expect, test } from "vitest";
import { mapEdges } from "./data.ts";

test("mapEdges() adds up the instances of a service, the busiest call first", () => {
  const counted = (caller: string, service: string, instance: string, requests: number) => ({
    caller,
    service,
    version: null,
    instance,
    requests,
    responses: [0, requests, 0, 0, 0],
    failures: 0,
  });
  const edges = mapEdges([counted("a", "x", "1", 10), counted("a", "y", "1", 50), counted("a", "x", "2", 20)], 10);
  expect(edges.map(({ key, rate }) => [key, rate])).toEqual([
    ["a>y", 5],
    ["a>x", 3],
  ]);
});
