import { expect, test } from "vitest";
import { mapEdges } from "./data.ts";

test("mapEdges() divide by the time, the busiest call first", () => {
  const edge = (service: string, requests: number, errors: number) => ({
    caller: "a",
    service,
    requests,
    errors,
    p50: null,
    p99: null,
  });
  const edges = mapEdges({ edges: [edge("x", 30, 3), edge("y", 50, 0), edge("z", 0, 0)] }, 10);
  expect(edges.map(({ key, rate, errors }) => [key, rate, errors])).toEqual([
    ["a>y", 5, 0],
    ["a>x", 3, 0.1],
    ["a>z", 0, null],
  ]);
});
