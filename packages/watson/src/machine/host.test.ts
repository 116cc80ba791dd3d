import { expect, test } from "vitest";
import { chooseHost, type HostFacts } from "./host.ts";

const facts: HostFacts = { configured: null, hostName: "VM101", hostAddresses: [], routeAddress: null };

test.each<[string, Partial<HostFacts>, string]>([
  ["is what was set", { configured: "h.example.com", hostAddresses: ["10.0.0.5"] }, "h.example.com"],
  ["is the host name where that resolves", { hostAddresses: ["10.0.0.5"], routeAddress: "10.0.0.5" }, "vm101"],
  ["is the address of the route where the name does not resolve", { routeAddress: "10.0.0.5" }, "10.0.0.5"],
  [
    "is the address of the route where the name is loopback",
    { hostAddresses: ["127.0.1.1"], routeAddress: "10.0.0.5" },
    "10.0.0.5",
  ],
  [
    "is the host name where the directory is on this machine",
    { hostAddresses: ["127.0.1.1"], routeAddress: "127.0.0.1" },
    "vm101",
  ],
  ["is localhost where there is nothing else", { routeAddress: "127.0.0.1" }, "localhost"],
])("chooseHost() %s", (_, over, expected) => {
  expect(chooseHost({ ...facts, ...over })).toBe(expected);
});
