import { isIP } from "node:net";
import fc from "../testing/random.ts";
import { expect, test } from "vitest";
import { compareIps, isInNetwork, parseIp } from "./ip-address.ts";

/** The bytes of an address as the system's URL parser reads it, which knows every spelling. */
function bytesByUrl(text: string): Uint8Array {
  const groups = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const [head = [], tail] = groups.map((half) => (half === "" ? [] : half.split(":")));
  const filled =
    tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Uint8Array.from(
    filled.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

const spelling = fc
  .array(
    fc.oneof(fc.constantFrom("", "0", "ffff", "FFFF", "7f00", "1.2.3.4", "00a"), fc.stringMatching(/^[0-9a-f]{1,5}$/)),
    {
      maxLength: 9,
    },
  )
  .map((groups) => groups.join(":"));

test("parseIp() reads what the system takes for an IPv6 address, and nothing else", () => {
  fc.assert(
    fc.property(fc.oneof(spelling, fc.ipV6()), (text) => {
      const read = text.includes(":") ? parseIp(text) : null;
      expect(read !== null).toBe(isIP(text) === 6);
      if (read !== null) expect(read).toEqual(bytesByUrl(text));
    }),
    { numRuns: 5_000 },
  );
});

test("parseIp() gives IPv4 as its mapped form", () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      expect(parseIp(text)).toEqual(parseIp(`::ffff:${text}`));
    }),
  );
});

test.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["::ffff:10.1.2.3", "10.0.0.0/8", true],
  ["169.254.255.255", "169.254.0.0/16", true],
  ["fe7f::1", "fe80::/10", false],
  ["febf::1", "fe80::/10", true],
])("isInNetwork() %s in %s: %s", (address, network, expected) => {
  expect(isInNetwork(parseIp(address) as Uint8Array, network)).toBe(expected);
});

test("compareIps() puts IPv4 first, then goes by number", () => {
  const sorted = ["::1", "10.0.0.2", "2001:db8::1", "9.0.0.1", "10.0.0.10"]
    .map((text) => ({ text, bytes: parseIp(text) as Uint8Array }))
    .toSorted((a, b) => compareIps(a.bytes, b.bytes));
  expect(sorted.map(({ text }) => text)).toEqual(["9.0.0.1", "10.0.0.2", "10.0.0.10", "::1", "2001:db8::1"]);
});
