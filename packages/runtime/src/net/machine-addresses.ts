import { lookup } from "node:dns/promises";
import { networkInterfaces } from "node:os";

/** The addresses of this machine, those of loopback included. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** The addresses that a name has here, in the system's order; empty when it does not resolve. */
export async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}
