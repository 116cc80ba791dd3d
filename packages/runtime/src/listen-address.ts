import { isInNetwork, isLocalhost, parseIp } from "@datawire/protocol";

/** Where a server listens. */
export interface ListenAddress {
  /** An IP address without brackets, or a name. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, `[::1]:5432` or `:5431` (loopback).
 * Throws an Error that quotes what was typed.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.%a-z]+)\]|(?<host>[^:[\]\s/]*)):(?<port>\d{1,5})$/.exec(text.trim());
  const port = Number(match?.groups?.["port"]);
  if (!match || port > 65_535) throw new Error(`Cannot listen on ${JSON.stringify(text)}: wanted ${WANTED}`);
  const host = match.groups?.["v6"] ?? match.groups?.["host"] ?? "";
  return { host: host === "" ? "127.0.0.1" : host === "*" ? "::" : host, port };
}

/** Parses an address as above, or `off`, which gives `null`. */
export function parseListenAddressOrOff(text: string): ListenAddress | null {
  return text.trim() === "off" ? null : parseListenAddress(text);
}

/** Prints an address as `parseListenAddress` reads it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** True for `localhost`, names below it, 127.0.0.0/8 and ::1, however they are written: addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  const address = parseIp(bare.replace(/\.$/, ""));
  return isLocalhost(bare) || (address !== null && LOOPBACK.some((network) => isInNetwork(address, network)));
}

const LOOPBACK = ["127.0.0.0/8", "::1/128"] as const;
const WANTED = "HOST:PORT such as 127.0.0.1:5431, [::1]:5432 or :5431";
