import { expect, test } from "vitest";
import { DRAWN_MAX, drawnEdges, mapEdges, nodeLabel } from "./data.ts";

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

test("drawnEdges() are all, or of too many what fails, what was drawn before, and the busiest", () => {
  const edge = (i: number, errors = 0) => ({
    key: `a>${i}`,
    caller: "a",
    service: `${i}`,
    rate: 9_999 - i,
    errors,
    p99: null,
  });
  const few = Array.from({ length: DRAWN_MAX }, (_, i) => edge(i));
  expect(drawnEdges(few, new Set())).toBe(few);
  const many = [...few, edge(500), edge(501), edge(502, 0.1)];
  const drawn = drawnEdges(many, new Set(["a>501", "a>700"])).map(({ service }) => service);
  expect(drawn).toEqual(["502", "501", ...few.slice(0, DRAWN_MAX - 2).map(({ service }) => service)]);
});

test("nodeLabel() of long names that begin alike differ by their ends", () => {
  expect(nodeLabel("checkout")).toBe("checkout");
  expect(nodeLabel("storefront-of-payments-17")).toBe("storefro…yments-17");
  expect(nodeLabel("storefront-of-payments-18")).not.toBe(nodeLabel("storefront-of-payments-17"));
});
