import { isInNetwork, isLocalhost, parseIp, quoteShort } from "@datawire/protocol";

/** Where a server listens. */
export interface ListenAddress {
  /** An IP address without brackets, or a name. */
  readonly host: string;
  /** 0 lets the system choose a port. */
  readonly port: number;
}

/**
 * Parses `HOST:PORT`, `[::1]:5432` or `:5431` (loopback).
 * Throws an Error that quotes what was typed.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.%a-z]+)\]|(?<host>[^:[\]\s/]*)):(?<port>\d{1,5})$/.exec(text.trim());
  const port = Number(match?.groups?.["port"]);
  if (!match || port > 65_535)
    throw new Error(`Cannot listen on ${quoteShort(text)}: wanted ${WANTED}${whyNot(text.trim())}`);
  const host = match.groups?.["v6"] ?? match.groups?.["host"] ?? "";
  return { host: host === "" ? "127.0.0.1" : host === "*" ? "::" : host, port };
}

/** What is most likely wrong with an address, where the wanted form does not show it. */
function whyNot(text: string): string {
  if (/^\d+$/.test(text)) return "; it is a port without a host";
  if (/^\w+:\/\//.test(text)) return "; it is a URL";
  if (/^[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text)) return "; an IPv6 address stands in brackets";
  const port = /:(-?\d+)$/.exec(text)?.[1];
  if (port !== undefined && (Number(port) < 0 || Number(port) > 65_535)) return `; port ${port} is not from 0 to 65535`;
  if (/^[A-Za-z0-9._-]*:?$/.test(text) && text.includes(".")) return "; it has no port";
  return "";
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
