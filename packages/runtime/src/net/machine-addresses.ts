import { lookup } from "node:dns/promises";
import { hostname, networkInterfaces } from "node:os";
import { isLoopback } from "./listen-address.ts";

/** The addresses of this machine, those of loopback included. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** Whether an IP address is one of this machine: of loopback, or of an interface that it has now; IPv4 also as IPv6 carries it. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  return isLoopback(plain) || ownAddresses().includes(plain);
}

/** Whether an address, or a name without asking for its addresses, is that of this machine. */
export function isThisMachine(host: string): boolean {
  return isOwnAddress(host) || host.toLowerCase() === hostname().toLowerCase();
}

/** The addresses that a name has here, in the system's order; empty when it does not resolve. */
export async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}
