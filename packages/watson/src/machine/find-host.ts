import { createSocket } from "node:dgram";
import { hostname } from "node:os";
import { isIPv6 } from "node:net";
import type { DirectoryAddress } from "@datawire/protocol";
import { addressesInTime } from "@datawire/runtime";
import { chooseHost } from "./host.ts";

/** Finds how others reach this machine; see `chooseHost`. */
export async function findHost(configured: string | null, directory: DirectoryAddress): Promise<string> {
  const hostName = hostname();
  if (configured !== null) return configured;
  const [hostAddresses, directoryAddresses] = await Promise.all([
    addressesInTime(hostName),
    addressesInTime(directory.host),
  ]);
  const [first] = directoryAddresses;
  const routeAddress = first === undefined ? null : await sourceAddress(first, directory.port);
  return chooseHost({ configured, hostName, hostAddresses, routeAddress });
}

/** The local end of the route to an address: connecting a datagram socket chooses it and sends nothing. */
function sourceAddress(address: string, port: number): Promise<string | null> {
  return new Promise((done) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const end = (found: string | null): void => {
      socket.close();
      done(found);
    };
    socket.once("error", () => end(null));
    socket.connect(port, address, () => end(socket.address().address));
  });
}
