import { expect, test } from "vitest";
import { Locality } from "./locality.ts";

const FAR = { host: "services", port: 5430, tls: null };

async function refusal(
  [host, address]: readonly [string, string],
  { remote = true, allowLocal = false } = {},
): Promise<string | null> {
  const locality = new Locality({ replicas: [FAR], allowLocal }, { hostName: "VM101", isRemote: async () => remote });
  await locality.look();
  return locality.refusal(host, address);
}

test.each([
  ["evil.example.com", "127.0.0.1"],
  ["evil.example.com", "::1"],
  ["evil.example.com", "169.254.169.254"],
  ["evil.example.com", "::ffff:a9fe:a9fe"],
  ["evil.example.com", "127.0.1.1"],
  ["0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1"],
  ["vm101", "127.0.0.1"],
  ["vm101", "::1"],
  ["vm1010", "127.0.1.1"],
])("Locality refuses %s at %s of a directory elsewhere, and names the setting", async (host, address) => {
  const reason = await refusal([host, address]);
  expect(reason).toContain(address);
  expect(reason).toContain("allow_local");
  expect(await refusal([host, address], { remote: false })).toBeNull();
  expect(await refusal([host, address], { allowLocal: true })).toBeNull();
});

test.each([
  ["vm102", "10.0.0.2"],
  ["vm101", "127.0.1.1"],
  ["vm101.example.com", "127.0.1.1"],
])("Locality takes %s at %s", async (host, address) => {
  expect(await refusal([host, address])).toBeNull();
});

test("Locality takes a directory for one elsewhere until it has looked, and says when that changes", async () => {
  const locality = new Locality({ replicas: [FAR], allowLocal: false }, { isRemote: async () => false });
  expect(locality.refusal("localhost", "127.0.0.1")).not.toBeNull();
  expect(await locality.look()).toBe(true);
  expect(locality.refusal("localhost", "127.0.0.1")).toBeNull();
  expect(await locality.look()).toBe(false);
});
