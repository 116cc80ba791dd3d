import { isIP } from "node:net";
import { type ClientMessage, isMachineLocal, ROUTER_COMMON_NAME, type ServerMessage } from "@datawire/protocol";
import { addressesInTime, type Clock, describeError, isLoopback, isOwnAddress, isThisMachine } from "@datawire/runtime";
import type { AuthorityRecord } from "../../store/token-record.ts";
import { fitsPattern } from "../pattern.ts";

/** What a router asks for. */
export type CertifyRequest = Extract<ClientMessage, { type: "certify" }>;
/** What it gets. */
export type CertifyAnswer = Extract<ServerMessage, { type: "certificate" }>;

/** Whom a certificate is for, as the directory knows it and not as it says itself. */
export interface Applicant {
  /** The IP address that the router comes from. */
  readonly from: string;
  /** Patterns of what it may be reached by, from its token; null where that says nothing. */
  readonly hosts: readonly string[] | null;
}

/** Signs certificates for routers. */
export type Certifier = (request: CertifyRequest, applicant: Applicant) => Promise<CertifyAnswer>;

/** What a certifier works with. */
export interface CertifierDeps {
  readonly clock: Pick<Clock, "nowMs">;
  /** The directory's own authority; null where it has none, as its certificates come from elsewhere. */
  readonly authority: () => Promise<AuthorityRecord | null>;
  /** The names and addresses of the directory itself. */
  readonly own: readonly string[];
  /** The addresses of a host; none where it does not resolve in time. Default: as the system resolves it. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/i;
/** A router asks for its `host` and the name of its machine: of more, none is looked up. */
const LOOKUPS_MAX = 2;

/**
 * Signs for whoever has the right to be a router, and for what it has proved to be its own: the names that its token is
 * for, else the address that it comes from and the names that resolve to that. Nobody elsewhere gets what the directory is
 * reached by. What is left out, the reason says.
 */
export function createCertifier({ clock, authority: find, own, resolve = addressesInTime }: CertifierDeps): Certifier {
  const ofDirectory = new Set(own.map((name) => name.toLowerCase()).filter((name) => !isMachineLocal(name)));
  const limit = async (names: readonly string[], { from, hosts }: Applicant): Promise<readonly string[]> => {
    const isHere = isOwnAddress(from);
    const source = plain(from);
    const asked = names.filter((name) => isHere || !ofDirectory.has(name.toLowerCase()));
    // Of loopback a client knows its own machine alone.
    if (hosts !== null) return asked.filter((name) => isLoopback(name) || hosts.some((host) => fits(name, host)));
    const lookedUp = asked.filter((name) => isIP(name) === 0 && !isLoopback(name)).slice(0, LOOKUPS_MAX);
    const found = new Map<string, readonly string[]>();
    for (const name of lookedUp) found.set(name, await resolve(name));
    const isOfSource = (address: string): boolean => address === source || (isHere && isOwnAddress(address));
    const isProved = (name: string): boolean => {
      if (isLoopback(name) || (isHere && (isThisMachine(name) || ofDirectory.has(name.toLowerCase())))) return true;
      return isIP(name) === 0 ? (found.get(name)?.map(plain).some(isOfSource) ?? false) : isOfSource(plain(name));
    };
    return asked.filter(isProved);
  };
  /** Lookups use the few threads that files and keys are worked on with too: whoever asks again and again has one of them. */
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async (names: readonly string[], applicant: Applicant): Promise<readonly string[]> => {
    const turn = last.then(() => limit(names, applicant));
    last = turn.catch(() => {});
    return turn;
  };
  return async ({ names, publicKey }, applicant) => {
    const authority = await find();
    if (authority === null)
      return refused("the directory has no authority of its own: it has no TLS, or certificates of yours");
    const wrong = names.find((name) => isIP(name) === 0 && !HOST.test(name));
    if (wrong !== undefined) return refused(`${JSON.stringify(wrong)} is no host name, and no IP address`);
    const [first = ""] = names;
    if (ofDirectory.has(first.toLowerCase()) && !isOwnAddress(applicant.from))
      return refused(
        `${first} is the directory's own name, which a router on another machine cannot have: set \`host\``,
      );
    const permitted = await inTurn(names, applicant);
    const reason = permitted.length === names.length ? null : whyNot(names, permitted, applicant);
    if (permitted.length === 0) return refused(reason ?? "");
    // Its library is large, and only a directory with an authority of its own needs it.
    const { certifyKey } = await import("@datawire/http/authority");
    const wanted = { name: ROUTER_COMMON_NAME, names: permitted, publicKey };
    try {
      return { type: "certificate", chain: await certifyKey(authority, wanted, clock.nowMs()), reason };
    } catch (error) {
      return refused(`its key cannot be used (${describeError(error)}): wanted ECDSA P-256 in PEM`);
    }
  };
}

const refused = (reason: string): CertifyAnswer => ({ type: "certificate", chain: null, reason });

/** How many of the names that are left out are told. */
const TOLD_MAX = 5;

function whyNot(names: readonly string[], permitted: readonly string[], { from, hosts }: Applicant): string {
  const left = names.filter((name) => !permitted.includes(name));
  const more = left.length > TOLD_MAX ? ` and ${left.length - TOLD_MAX} more` : "";
  const told = left.slice(0, TOLD_MAX).join(", ") + more;
  const wanted =
    hosts === null
      ? `wanted ${plain(from)}, which it comes from, names that resolve to that, or a token with --hosts`
      : `its token is for ${hosts.join(", ").slice(0, 300)}`;
  return `it is not for ${told}: ${wanted}`;
}

const fits = (name: string, pattern: string): boolean => fitsPattern(name.toLowerCase(), pattern.toLowerCase());

/** An IPv4 address that IPv6 carries, as itself. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();
