import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parseToken, ProtocolError } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { EVERYTHING, type Grant, grantOf, NOTHING } from "./grant.ts";
import { hashOf } from "./hash-of.ts";
import { RefusalLimit, RETRY_AFTER_SECONDS } from "./refusal-limit.ts";
import { sessionSecrets } from "./console-access.ts";
import { csrfOf, type SessionService } from "./session-service.ts";
import type { Tokens } from "./tokens.ts";

/** What lets a client in, for as long as it holds. */
export interface Permit {
  readonly grant: Grant;
  /** Why it no longer holds; null while it does. */
  ended(): string | null;
}

/** What lets a request in, and how it was known who sent it. */
export interface Admission extends Permit {
  readonly auth: "none" | "session" | "token";
  /** When it ends by itself; null where it does not. */
  readonly expiresMs: number | null;
  /** What a change has to bring beside the cookie; null without a session. */
  readonly csrf: string | null;
}

/** Lets clients in, or says why not. */
export interface Gate {
  /** Whether anybody is asked who they are. */
  readonly asks: boolean;
  /**
   * Lets a link in, which no cookie does.
   * @param token one that came in another way than the header; left out, the header is read.
   * @throws ProtocolError `unauthenticated`, or `limit_exceeded` for an address that was refused too often.
   */
  admit(req: IncomingMessage, token?: string | null): Permit;
  /**
   * Lets a request in, by the token in its header or by the cookie of a session.
   * @throws ProtocolError as `admit`; and `permission_denied` for a change by cookie without the word of its session.
   */
  admitRequest(req: IncomingMessage): Admission;
  /** Lets in by a token from a body, for signing in. Throws as `admit`. */
  admitToken(req: IncomingMessage, token: string): Admission;
  /** Counts a refusal that was found elsewhere, and returns what to tell. */
  refusal(req: IncomingMessage, error: unknown): unknown;
}

const EVERYBODY: Admission = { grant: EVERYTHING, ended: () => null, auth: "none", expiresMs: null, csrf: null };

/** For a directory that asks nobody who they are. */
export const openGate: Gate = {
  asks: false,
  admit: () => EVERYBODY,
  admitRequest: () => EVERYBODY,
  admitToken: () => EVERYBODY,
  refusal: (_, error) => error,
};

/** For requests that everybody may send. */
export const visitor: Permit = { grant: NOTHING, ended: () => null };

/**
 * Lets in whoever has a token.
 * @param sessions null where nobody can sign in.
 */
export function tokenGate(
  { tokens, sessions }: { readonly tokens: Tokens; readonly sessions: SessionService | null },
  { clock }: { readonly clock: Pick<Clock, "nowMs" | "monotonicMs"> },
): Gate {
  const limit = new RefusalLimit();
  const byToken = (token: string): Admission => {
    const record = tokens.find(hashOf(parseToken(token).secret), clock.nowMs());
    return {
      grant: grantOf(record),
      ended: () => tokens.ended(record.id, clock.nowMs()),
      auth: "token",
      expiresMs: record.expiresMs,
      csrf: null,
    };
  };
  const bySession = (req: IncomingMessage, secret: string): Admission => {
    const session = sessions?.find(secret) ?? null;
    const record = session === null ? null : tokens.get(session.token);
    if (session === null || record === null)
      throw new ProtocolError("unauthenticated", "Cannot answer: the session has ended; wanted to be signed in again");
    const csrf = csrfOf(secret);
    if (req.method !== "GET" && req.method !== "HEAD") requireWord(req, csrf);
    return {
      grant: grantOf(record),
      ended: () => (sessions?.find(secret) === null ? "the session has ended" : null),
      auth: "session",
      expiresMs: Math.min(session.expiresMs, record.expiresMs ?? Number.POSITIVE_INFINITY),
      csrf,
    };
  };
  const refusal = (req: IncomingMessage, error: unknown): unknown => {
    const address = req.socket.remoteAddress ?? "unknown";
    if (!(error instanceof ProtocolError) || limit.count(address, clock.monotonicMs())) return error;
    return new ProtocolError(
      "limit_exceeded",
      `Cannot answer: ${address} was refused too often; wanted a pause of ${RETRY_AFTER_SECONDS} s, and a token that holds`,
    );
  };
  const counted = <T>(req: IncomingMessage, admit: () => T): T => {
    try {
      return admit();
    } catch (error) {
      throw refusal(req, error);
    }
  };
  return {
    asks: true,
    refusal,
    admit: (req, token) => counted(req, () => byToken(token ?? bearerOf(req.headers.authorization))),
    admitToken: (req, token) => counted(req, () => byToken(token)),
    admitRequest(req) {
      // A session has 256 random bits: whoever tries some is refused without being counted, and so is one that has ended.
      const { authorization } = req.headers;
      const secrets = authorization === undefined ? sessionSecrets(req) : [];
      const own = secrets.find((secret) => sessions?.find(secret) != null) ?? secrets[0];
      if (own !== undefined) return bySession(req, own);
      // Who shows nothing tries nothing either.
      if (authorization === undefined) throw noToken();
      return counted(req, () => byToken(bearerOf(authorization)));
    },
  };
}

/** A page of another site can make a browser send its cookies, but cannot read the word that goes with them. */
function requireWord(req: IncomingMessage, csrf: string): void {
  const given = Buffer.from(String(req.headers["x-datawire-csrf"] ?? ""));
  const wanted = Buffer.from(csrf);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new ProtocolError(
    "permission_denied",
    "Cannot change anything by cookie alone: wanted the header X-Datawire-CSRF with the csrf of GET /v1/session",
  );
}

/** How a refusal by a gate is answered over HTTP beyond its status (RFC 6750, section 3; RFC 6585, section 4). */
export function refusalHeaders({ code }: ProtocolError): Record<string, string> {
  if (code === "unauthenticated") return { "www-authenticate": 'Bearer realm="datawire"' };
  return code === "limit_exceeded" ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {};
}

function bearerOf(header: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(header ?? "");
  if (match !== null) return match[1] as string;
  throw noToken();
}

const noToken = (): ProtocolError =>
  new ProtocolError(
    "unauthenticated",
    "Cannot answer: this directory wants a token, and there was none; set DATAWIRE_TOKEN, or token_file to a file with one",
  );
