import { createSocket } from "node:dgram";
import { hostname } from "node:os";
import { isIPv6 } from "node:net";
import { type DirectoryAddress, isMachineLocal } from "@datawire/protocol";
import { addressesOf, ownAddresses } from "@datawire/runtime";
import { chooseHost } from "../core/host.ts";

/** A resolver that does not answer must not keep Watson from its work. */
const LOOKUP_MS_MAX = 3_000;

/** Finds how others reach this machine; see `chooseHost`. */
export async function findHost(configured: string | null, directory: DirectoryAddress): Promise<string> {
  const hostName = hostname();
  if (configured !== null) return configured;
  const [hostAddresses, directoryAddresses] = await Promise.all([resolve(hostName), resolve(directory.host)]);
  const [first] = directoryAddresses;
  const routeAddress = first === undefined ? null : await sourceAddress(first, directory.port);
  return chooseHost({ configured, hostName, hostAddresses, routeAddress });
}

/** Whether a directory is on another machine; one whose name does not resolve now is taken to be. */
export async function isRemote({ host }: DirectoryAddress): Promise<boolean> {
  if (isMachineLocal(host)) return false;
  const own = new Set(ownAddresses());
  return !(await resolve(host)).some((address) => isMachineLocal(address) || own.has(address));
}

async function resolve(host: string): Promise<string[]> {
  const late = new Promise<never[]>((done) => void setTimeout(done, LOOKUP_MS_MAX, []).unref());
  return Promise.race([addressesOf(host.replace(/^\[(.*)\]$/, "$1")), late]);
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
