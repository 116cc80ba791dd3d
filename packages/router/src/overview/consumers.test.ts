import { expect, test } from "vitest";
import { consumersAt, type ListeningLink } from "./consumers.ts";

const link = (address: string | null, peer: string, direction: "in" | "out" = "out"): ListeningLink => ({
  direction,
  address,
  peer,
});

test("consumersAt() counts the links that listen at an address and below it, by host", () => {
  const links = [
    link("barker", "127.0.0.1:40000"),
    link("barker/eu", "::ffff:127.0.0.1:40001"),
    link("@acme/barker", "::1:40002"),
    link("barker", "10.0.0.7:40003"),
    link("barker", "127.0.0.1:40004", "in"),
    link("barkers", "127.0.0.1:40005"),
    link("dead/barker", "127.0.0.1:40006"),
    link(null, "127.0.0.1:40007"),
  ];
  expect(consumersAt(links, "barker")).toEqual([
    { host: "127.0.0.1", links: 2 },
    { host: "10.0.0.7", links: 1 },
  ]);
  // What a tenant has is another address of the same name.
  expect(consumersAt(links, "@acme/barker")).toEqual([{ host: "::1", links: 1 }]);
  expect(consumersAt([], "barker")).toEqual([]);
});
