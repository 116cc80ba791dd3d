import { encodeUtf8 } from "../types/text.ts";
import type { SaslClient, SaslExchange, SaslServer, SaslStep } from "./contract.ts";
import { SCRAM, ScramExchange, type ScramUsers } from "./scram.ts";
import { textFrom } from "./text-from.ts";

/** The mechanisms that a server takes: those that are given. */
export interface SaslServerOptions {
  /** Who a peer is that is certified by its transport: the name in its certificate. */
  readonly external?: string;
  readonly scram?: ScramUsers;
  /** Checks a password, now or later: who that is, or null. Only for transports that nobody listens to. */
  readonly plain?: (user: string, password: string, answer: (identity: string | null) => void) => void;
  /** Who a peer is that gives no name. */
  readonly anonymous?: string;
}

const FAILED: SaslStep = { state: "failed" };

/** The mechanisms of a server, the best first; a failure tells a peer nothing but that. */
export function createSaslServer({ external, scram, plain, anonymous }: SaslServerOptions): SaslServer {
  const begins = new Map<string, () => SaslExchange>();
  if (external !== undefined)
    begins.set("EXTERNAL", () => ({ respond: (said, answer) => answer(asSelf(said, external)) }));
  if (scram !== undefined) begins.set(SCRAM, () => new ScramExchange(scram));
  if (plain !== undefined) begins.set("PLAIN", () => ({ respond: (said, answer) => checkPlain(said, plain, answer) }));
  if (anonymous !== undefined) {
    begins.set("ANONYMOUS", () => ({
      respond: (_, answer) => answer({ state: "authenticated", identity: anonymous }),
    }));
  }
  return { mechanisms: [...begins.keys()], begin: (mechanism) => begins.get(mechanism)?.() ?? null };
}

/** A peer may say who it wants to be: itself, and nobody else. */
function asSelf(said: Uint8Array, identity: string): SaslStep {
  const wanted = textFrom(said);
  return wanted === "" || wanted === identity ? { state: "authenticated", identity } : FAILED;
}

/** RFC 4616: who to be, who it is, and the password, with a NUL between them. */
function checkPlain(
  said: Uint8Array,
  plain: NonNullable<SaslServerOptions["plain"]>,
  answer: (step: SaslStep) => void,
): void {
  const parts = textFrom(said)?.split("\0") ?? [];
  const [wanted, user, password] = parts;
  if (parts.length !== 3 || !user || password === undefined || (wanted !== "" && wanted !== user))
    return answer(FAILED);
  plain(user, password, (identity) => answer(identity === null ? FAILED : { state: "authenticated", identity }));
}

/** PLAIN for a client: the password as it is, so only for transports that nobody listens to. */
export function plainClient(user: string, password: string): SaslClient {
  return silent("PLAIN", encodeUtf8(`\0${user}\0${password}`));
}

/** EXTERNAL for a client, which is who its transport says. */
export function externalClient(): SaslClient {
  return silent("EXTERNAL", new Uint8Array(0));
}

/** ANONYMOUS for a client. */
export function anonymousClient(): SaslClient {
  return silent("ANONYMOUS", encodeUtf8("anonymous"));
}

/** A mechanism with nothing more to say than its first word. */
function silent(name: string, first: Uint8Array): SaslClient {
  return { name, begin: () => first, respond: () => null, finish: () => true };
}
