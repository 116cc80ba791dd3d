/** The prefix of an IPv6 address that maps an IPv4 one (RFC 4291, section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff] as const;
const BYTES = 16;

/**
 * The 16 bytes of an IP address, by which addresses are compared: as text, one address has many spellings. IPv4 comes
 * in its mapped form; the zone of a link-local address is left out. Null for what is not an IP address.
 */
export function parseIp(text: string): Uint8Array | null {
  const bare = text.replace(/%[^%]*$/, "");
  const bytes = bare.includes(":") ? ipv6Bytes(bare) : ipv4Bytes(bare);
  if (bytes === null) return null;
  return Uint8Array.from(bytes.length === BYTES ? bytes : [...MAPPED, ...bytes]);
}

/**
 * Whether `text` is an IPv4 address of four decimal numbers, the only form that every program reads in the same way.
 */
export function isIpv4(text: string): boolean {
  return ipv4Bytes(text) !== null;
}

/** Whether an address, as `parseIp` gives it, is in a network such as `127.0.0.0/8` or `fe80::/10`. */
export function isInNetwork(address: Uint8Array, network: string): boolean {
  const [base = "", length = ""] = network.split("/");
  const wanted = parseIp(base);
  if (wanted === null) throw new Error(`Cannot compare with ${network}: it is no network`);
  return hasPrefix(address, wanted, Number(length) + (base.includes(":") ? 0 : MAPPED.length * 8));
}

/** Orders addresses, as `parseIp` gives them: those of IPv4 first, then by number. */
export function compareIps(a: Uint8Array, b: Uint8Array): number {
  const families = Number(hasPrefix(b, MAPPED, 96)) - Number(hasPrefix(a, MAPPED, 96));
  if (families !== 0) return families;
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}

/** IPv6 prefixes that embed an IPv4 address, and the byte at which it begins. */
const CARRIERS = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 }, // RFC 4291, 2.5.5.1: IPv4-compatible
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], at: 12 }, // RFC 2765: IPv4-translated
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 }, // RFC 6052: NAT64
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: 12 }, // RFC 8215: NAT64 within a network
  { prefix: [0x20, 0x02], at: 2 }, // RFC 3056: 6to4
] as const;

/**
 * The IPv4 address embedded in an IPv6 one, which a kernel or gateway may connect to instead; null where there is none.
 */
export function carriedIpv4(address: Uint8Array): Uint8Array | null {
  const carrier = CARRIERS.find(({ prefix }) => hasPrefix(address, prefix, prefix.length * 8));
  return carrier === undefined ? null : Uint8Array.from([...MAPPED, ...address.subarray(carrier.at, carrier.at + 4)]);
}

function hasPrefix(address: Uint8Array, prefix: ArrayLike<number>, bits: number): boolean {
  for (let i = 0; i * 8 < bits; i++) {
    const mask = (0xff << Math.max(0, 8 - (bits - i * 8))) & 0xff;
    if (((address[i] as number) & mask) !== ((prefix[i] as number) & mask)) return false;
  }
  return true;
}

function ipv4Bytes(text: string): number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function ipv6Bytes(text: string): number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => groupBytes(half, { mayEndInIpv4: i === halves.length - 1 }));
  if (head == null) return null;
  if (tail === undefined) return head.length === BYTES ? head : null;
  // `::` stands for one group of zeros at the least.
  if (tail === null || head.length + tail.length > BYTES - 2) return null;
  const zeros = Array.from({ length: BYTES - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail];
}

/** The bytes of groups with colons between them; the last may be an IPv4 address. */
function groupBytes(text: string, { mayEndInIpv4 }: { readonly mayEndInIpv4: boolean }): number[] | null {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const embedded = mayEndInIpv4 && i === groups.length - 1 ? ipv4Bytes(group) : null;
    if (embedded !== null) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}
