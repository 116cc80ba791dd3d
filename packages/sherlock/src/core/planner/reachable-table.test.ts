import { Catalog } from "@datawire/catalog";
import { instance } from "@datawire/catalog/testing";
import { emptyChange, serviceSchema } from "@datawire/protocol";
import { expect, test } from "vitest";
import { ReachableTable } from "./reachable-table.ts";

test("ReachableTable has no service of amqp, whose messages go through routers", () => {
  const table = new Catalog();
  table.apply({
    ...emptyChange(),
    services: ["barker", "meower"].map((name) =>
      serviceSchema.parse({ name, primary: "1", protocol: name === "barker" ? "amqp" : "http" }),
    ),
    instances: [
      { ...instance("barker@vm1(1)"), protocol: "amqp", url: "amqp://127.0.0.1:5673/barker" },
      instance("meower@vm1(1)"),
    ],
  });
  const reachable = new ReachableTable(table, (host) => ({ state: "known", address: host }));
  expect([...reachable.serviceNames()]).toEqual(["meower"]);
  expect(reachable.service("barker")).toBe(null);
  expect(reachable.service("meower")?.instances).toHaveLength(1);
});
