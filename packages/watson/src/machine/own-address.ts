import { networkInterfaces } from "node:os";
import { isLoopback } from "@datawire/runtime";

/** Whether an IP address is one of this machine: of loopback, or of an interface that it has now. */
export function isOwnAddress(address: string): boolean {
  if (isLoopback(address)) return true;
  return Object.values(networkInterfaces()).some((some) => some?.some((one) => one.address === address) === true);
}
