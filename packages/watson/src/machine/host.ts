import { isMachineLocal } from "@datawire/protocol";

/** What is known of how others may reach this machine. */
export interface HostFacts {
  /** `host` of the settings. */
  readonly configured: string | null;
  /** What the machine calls itself. */
  readonly hostName: string;
  /** What that name resolves to here; empty when it does not. */
  readonly hostAddresses: readonly string[];
  /** The address of this machine that packets to the directory leave from; null when that is not known. */
  readonly routeAddress: string | null;
}

/**
 * The host under which others reach this machine: as set, else its host name if that resolves, else the address that
 * the directory sees. A name that resolves to loopback is of no use to others: Debian writes `127.0.1.1 NAME` into
 * /etc/hosts, and name servers may not know the name.
 */
export function chooseHost({ configured, hostName, hostAddresses, routeAddress }: HostFacts): string {
  if (configured !== null) return configured;
  const name = hostName.toLowerCase();
  const remote = routeAddress !== null && !isMachineLocal(routeAddress);
  if (hostAddresses.some((address) => !isMachineLocal(address))) return name;
  if (remote) return routeAddress;
  return hostAddresses.length > 0 ? name : "localhost";
}
