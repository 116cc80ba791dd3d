import type { Value } from "@datawire/amqp";
import { expect, test } from "vitest";
import { readMember } from "./attach.ts";

const fields = (version: string | null, instance: string | null = null): ReadonlyMap<string, Value> =>
  new Map(Object.entries({ version, instance }).filter(([, value]) => value !== null));

test.each([
  ["neither", {}, null],
  ["its address", { named: { instance: "vm1", version: "2" } }, { instance: "vm1", version: "2" }],
  ["its address, as its container", { named: { instance: null, version: "2" } }, { instance: "client", version: "2" }],
  [
    "its link before its address, and that before its connection",
    { link: fields("1"), named: { instance: "vm1", version: "2" }, connection: fields("3", "vm3") },
    { instance: "vm1", version: "1" },
  ],
  ["its connection", { connection: fields("3", "vm3") }, { instance: "vm3", version: "3" }],
])("readMember() takes what %s says", (_, said, expected) => {
  const nobody = { link: undefined, named: null, connection: undefined, container: "Client" };
  expect(readMember({ ...nobody, ...said })).toEqual(expected);
});
