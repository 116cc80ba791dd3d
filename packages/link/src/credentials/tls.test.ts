import { parseDirectoryAddress } from "@datawire/protocol";
import { expect, test } from "vitest";
import { type Proof, trustOf } from "./tls.ts";

const part = "a".repeat(43);
const plain: Proof = { token: null, tls: null };
const bare: Proof = { token: `dw1_${part}`, tls: null };
const pinned: Proof = { token: `dw1_${part}_${"b".repeat(43)}`, tls: null };
const own: Proof = { ...plain, tls: { ca: "PEM", cert: null, key: null } };
const both: Proof = { ...pinned, tls: own.tls };

test.each<[string, Proof, string, string]>([
  ["//a/directory", plain, "none", "nothing says otherwise"],
  ["//a/directory", bare, "none", "a token without a fingerprint is for a directory without TLS"],
  ["//a/directory", pinned, "pinned", "the token carries a fingerprint"],
  ["//a/directory", own, "authority", "an authority is set"],
  ["//a/directory", both, "authority", "what is set goes before what the token carries"],
  ["wss://a", plain, "system", "the address says so"],
  ["wss://a", pinned, "pinned", "the token says whom to trust"],
  ["ws://a", own, "none", "the address says so"],
  ["ws://a", pinned, "pinned", "such a token never travels in the open"],
])("trustOf(%s, %o) is %s: %s", (address, proof, expected) => {
  expect(trustOf(parseDirectoryAddress(address), proof).state).toBe(expected);
});
