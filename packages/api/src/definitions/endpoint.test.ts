import { expect, test } from "vitest";
import { z } from "zod";
import { type Endpoint, fillPath, matchPath, paramsOf, rightOf } from "./endpoint.ts";
import { endpoints } from "./endpoints.ts";

test.each([
  ["/v1/services/{service}", "/v1/services/barker", { service: "barker" }],
  ["/v1/services/{service}", "/v1/services/%2F%2Fbarker", { service: "//barker" }],
  ["/v1/services/{service}", "/v1/services", null],
  ["/v1/services/{service}", "/v1/services/a/b", null],
  ["/v1/services/{service}", "/v1/services/%", null],
  ["/v1/services/{service}/promote", "/v1/services/a/promote", { service: "a" }],
  ["/v1/routes", "/v1/routes", {}],
  ["/v1/routes", "/v1/routes/", null],
])("matchPath() of %s takes %s as %j", (pattern, path, expected) => {
  expect(matchPath(pattern, path)).toEqual(expected);
});

test.each(["barker", "//barker(2)", "ä %", "..", "constructor"])(
  "matchPath() reads what fillPath() wrote: %s",
  (text) => {
    const pattern = "/v1/services/{service}/promote";
    expect(matchPath(pattern, fillPath(pattern, { service: text }))).toEqual({ service: text });
  },
);

test("paramsOf() names what a path leaves open, in order", () => {
  expect(paramsOf("/v1/{a}/x/{b}")).toEqual(["a", "b"]);
});

test("rightOf() is read for GET and change for all else, unless the endpoint says another", () => {
  expect(rightOf(endpoints.listRoutes)).toBe("read");
  expect(rightOf(endpoints.undo)).toBe("change");
  expect(rightOf(endpoints.backup)).toBe("administer");
});

test("no two endpoints share a method and a path, and no fixed path is hidden by one with a name", () => {
  const all = Object.values(endpoints);
  const keys = all.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { method, path } of all.filter((one) => paramsOf(one.path).length === 0)) {
    const hiding = all.filter(
      (one) => one.method === method && one.path !== path && matchPath(one.path, path) !== null,
    );
    expect([path, hiding]).toEqual([path, []]);
  }
});

test("the shapes of bodies and answers are made when they are used: a command of dw uses two, and starts with all", () => {
  const shapes = Object.entries(endpoints).flatMap(([name, { body, answer }]: [string, Endpoint]) =>
    [body, answer].flatMap((shape) => (shape instanceof z.ZodType ? [{ name, type: shape.type }] : [])),
  );
  expect(shapes.length).toBeGreaterThan(60);
  expect(shapes.filter(({ type }) => type !== "lazy")).toEqual([]);
});
