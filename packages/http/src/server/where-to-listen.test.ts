import { expect, test } from "vitest";
import { chooseAddresses } from "./where-to-listen.ts";

const OWN = ["127.0.0.1", "::1", "10.0.0.5", "fe80::1"];

test.each<[string, string[], string[], string[], RegExp | null]>([
  ["localhost", [], OWN, ["127.0.0.1", "::1"], null],
  ["localhost", [], ["127.0.0.1"], ["127.0.0.1"], null],
  ["services", ["10.0.0.5"], OWN, ["127.0.0.1", "::1", "10.0.0.5"], null],
  ["vm1", ["127.0.1.1"], OWN, ["127.0.0.1", "::1", "127.0.1.1"], null],
  ["services", [], OWN, ["127.0.0.1", "::1"], /services does not resolve here/],
  ["services", ["10.0.0.9"], OWN, ["127.0.0.1", "::1"], /10\.0\.0\.9, which is no address of this machine/],
  ["10.0.0.9", ["10.0.0.9"], OWN, ["127.0.0.1", "::1"], /^10\.0\.0\.9 is no address of this machine/],
])(
  "chooseAddresses() for %s, which resolves to %o, on a machine with %o gives %o",
  async (host, resolved, own, addresses, warning) => {
    const context = { resolve: async () => resolved, own: () => own };
    const choice = await chooseAddresses({ host, port: 5430 }, context);
    expect(choice.addresses.map((address) => address.host)).toEqual(addresses);
    if (warning === null) expect(choice.warning).toBeNull();
    else expect(choice.warning).toMatch(warning);
  },
);
