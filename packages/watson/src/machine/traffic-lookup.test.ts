import type { LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { expect, test } from "vitest";
import { createTrafficLookup } from "./traffic-lookup.ts";

const addresses = (...texts: readonly string[]): LookupAddress[] =>
  texts.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

function fixture(answers: Map<string, LookupAddress[]>) {
  const all: LookupFunction = (host, _, callback) => callback(null, answers.get(host) ?? []);
  const traffic = createTrafficLookup(all);
  const find = (host: string): Promise<unknown> =>
    new Promise((resolve) => {
      traffic.lookup(host, { all: true }, (error, found) => resolve(error?.code ?? found));
    });
  return { find, traffic };
}

test("createTrafficLookup() gives the one address that Sherlock takes, and stays with it", async () => {
  const answers = new Map([["vm", addresses("::1", "10.0.0.9", "10.0.0.2")]]);
  const { find, traffic } = fixture(answers);
  expect(traffic.seen("vm")).toBeNull();
  expect(await find("vm")).toEqual(addresses("10.0.0.2"));
  expect(traffic.seen("vm")).toEqual({ used: "10.0.0.2", others: ["::1", "10.0.0.9"] });
  answers.set("vm", addresses("10.0.0.1", "10.0.0.2"));
  expect(await find("vm")).toEqual(addresses("10.0.0.2"));
  answers.set("vm", addresses("2001:db8::2", "2001:db8::1"));
  expect(await find("vm")).toEqual(addresses("2001:db8::1"));
  expect(await find("nobody")).toBe("ENOTFOUND");
});
