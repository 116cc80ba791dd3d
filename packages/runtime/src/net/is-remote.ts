import { type DirectoryAddress, isMachineLocal } from "@datawire/protocol";
import { addressesOf, ownAddresses } from "./machine-addresses.ts";

/** A resolver that does not answer must not hold up a program for longer than this. */
const LOOKUP_MS_MAX = 3_000;

/** Whether a directory is on another machine; assumed for one whose name does not resolve now. */
export async function isRemote({ host }: Pick<DirectoryAddress, "host">): Promise<boolean> {
  if (isMachineLocal(host)) return false;
  const own = new Set(ownAddresses());
  return !(await addressesInTime(host)).some((address) => isMachineLocal(address) || own.has(address));
}

/** The addresses that a host has here; empty when it does not resolve, or not in time. */
export async function addressesInTime(host: string): Promise<string[]> {
  const late = new Promise<never[]>((done) => void setTimeout(done, LOOKUP_MS_MAX, []).unref());
  return Promise.race([addressesOf(host.replace(/^\[(.*)\]$/, "$1")), late]);
}
