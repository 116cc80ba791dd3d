import { addressesOf, isLoopback, type ListenAddress, ownAddresses } from "@datawire/runtime";

/** How names and this machine's addresses are found; tests bring their own. */
export interface ListenContext {
  /** The addresses that a name has; empty when it does not resolve. */
  resolve(name: string): Promise<readonly string[]>;
  /** The addresses of this machine, loopback included. */
  own(): readonly string[];
}

/** The addresses to listen on. */
export interface ListenChoice {
  readonly addresses: readonly ListenAddress[];
  /** Why others may not reach the directory by its name, if that is so. */
  readonly warning: string | null;
}

/** The machine as it is. */
export const machine: ListenContext = {
  resolve: addressesOf,
  own: ownAddresses,
};

/** The addresses that the settings name, or those that are chosen without them. */
export async function whereToListen({
  host,
  port,
  listen,
}: {
  readonly host: string;
  readonly port: number;
  readonly listen?: ListenAddress | undefined;
}): Promise<ListenChoice> {
  return listen === undefined ? chooseAddresses({ host, port }) : { addresses: [listen], warning: null };
}

/**
 * Chooses where to listen when nobody says: on loopback, for the clients on this machine, and on the addresses of this
 * machine that the directory's name has, for those that know it by that name.
 */
export async function chooseAddresses(
  { host, port }: { readonly host: string; readonly port: number },
  { resolve, own }: ListenContext = machine,
): Promise<ListenChoice> {
  const mine = new Set(own());
  const named = isLoopback(host) ? [] : await resolve(host);
  // Debian gives a host's own name 127.0.1.1, which no interface shows and the machine has all the same.
  const reachable = named.filter((address) => mine.has(address) || isLoopback(address));
  const loopback = mine.has("::1") ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
  const addresses = [...new Set([...loopback, ...reachable])].map((address) => ({ host: address, port }));
  return { addresses, warning: warningOf(host, named, reachable) };
}

function warningOf(host: string, named: readonly string[], reachable: readonly string[]): string | null {
  if (isLoopback(host) || reachable.length > 0) return null;
  if (named.length === 0) return `${host} does not resolve here, so only this machine reaches the directory`;
  const found = named.every((address) => address === host) ? host : `${host} is ${named.join(", ")}, which`;
  return `${found} is no address of this machine, so only this machine reaches the directory`;
}
