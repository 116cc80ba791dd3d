import { instance, routes, catalogOf } from "@datawire/catalog/testing";
import { expect, test } from "vitest";
import { heldProblems, serviceProblems } from "./service-problems.ts";

test("serviceProblems() has none where every version that is live gets its share", () => {
  const table = catalogOf([instance("barker@a(1)"), instance("barker@b(2)")], {
    services: [{ name: "barker", primary: "1" }],
    tables: [routes("*", "barker", [["//barker(2)", 1_000]])],
  });
  expect([...serviceProblems(table), ...heldProblems(table)]).toEqual([]);
});

test("heldProblems() tells of a version that no route names", () => {
  const table = catalogOf([instance("barker@a(1)"), instance("barker@b(2.1)")], {
    services: [{ name: "barker", primary: "1" }],
  });
  expect(heldProblems(table)).toEqual([
    {
      severity: "warning",
      subject: "//barker(2)",
      message: "live, and held: it gets no request, as no route names it and the primary is //barker(1)",
      remedy:
        "`dw route add '//*' '//barker(2)' 10%` gives it a share; `dw service promote '//barker(2)'` makes it the primary",
    },
  ]);
});

test("serviceProblems() tells of a route that waits for its target", () => {
  const table = catalogOf([instance("barker@a(1)")], {
    services: [{ name: "barker", primary: "1" }],
    tables: [routes("monolith", "barker", [["//barker(3)", 500]])],
  });
  expect(serviceProblems(table)).toEqual([
    {
      severity: "warning",
      subject: "route //monolith to //barker(3)",
      message: "waits: its 5% stay with the rest, as no registered instance matches //barker(3)",
      remedy:
        "it begins by itself with the first that does; `dw route remove '//monolith' '//barker(3)'` takes it back",
    },
  ]);
});

test("serviceProblems() tells of a service that is down", () => {
  const table = catalogOf([instance("barker@a(1)", { state: "down", reason: "HTTP 503" })], {
    services: [{ name: "barker", primary: "1" }],
  });
  expect(serviceProblems(table)).toMatchObject([
    {
      severity: "error",
      subject: "//barker",
      remedy: "`dw service show //barker` has the reason of each instance that is out",
    },
  ]);
});

test.each([
  ["amqp", []],
  ["http", [{ severity: "error", message: "down: no instance was ever registered" }]],
] as const)("serviceProblems() of a service of %s without any instance yet", (protocol, expected) => {
  const table = catalogOf([], { services: [{ name: "microchat", primary: null, protocol, declared: true }] });
  expect(serviceProblems(table)).toMatchObject(expected);
});
