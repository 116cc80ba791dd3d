import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { parseToken, ProtocolError } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import { EVERYTHING, type Grant, grantOf } from "./grant.ts";
import { RefusalLimit, RETRY_AFTER_SECONDS } from "./refusal-limit.ts";
import type { Tokens } from "./tokens.ts";

/** What lets a client in, for as long as it holds. */
export interface Permit {
  readonly grant: Grant;
  /** Why it no longer holds; null while it does. */
  ended(): string | null;
}

/** Lets clients in, or says why not. */
export interface Gate {
  /**
   * @param token one that came in another way than the header; left out, the header is read.
   * @throws ProtocolError `unauthenticated`, or `limit_exceeded` for an address that was refused too often.
   */
  admit(req: IncomingMessage, token?: string | null): Permit;
}

/** For a directory that asks nobody who they are. */
export const openGate: Gate = { admit: () => ({ grant: EVERYTHING, ended: () => null }) };

/** How a secret is known to the directory. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

/** Lets in whoever has a token. */
export function tokenGate(tokens: Tokens, { clock }: { readonly clock: Pick<Clock, "nowMs" | "monotonicMs"> }): Gate {
  const limit = new RefusalLimit();
  const admit = (token: string): Permit => {
    const record = tokens.find(hashOf(parseToken(token).secret), clock.nowMs());
    return { grant: grantOf(record), ended: () => tokens.ended(record.id, clock.nowMs()) };
  };
  return {
    admit(req, token) {
      try {
        return admit(token ?? bearerOf(req.headers.authorization));
      } catch (error) {
        const address = req.socket.remoteAddress ?? "unknown";
        if (!(error instanceof ProtocolError) || limit.count(address, clock.monotonicMs())) throw error;
        throw new ProtocolError(
          "limit_exceeded",
          `Cannot answer: ${address} was refused too often; wanted a pause of ${RETRY_AFTER_SECONDS} s, and a token that holds`,
        );
      }
    },
  };
}

/** How a refusal by a gate is answered over HTTP beyond its status (RFC 6750, section 3; RFC 6585, section 4). */
export function refusalHeaders({ code }: ProtocolError): Record<string, string> {
  if (code === "unauthenticated") return { "www-authenticate": 'Bearer realm="datawire"' };
  return code === "limit_exceeded" ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {};
}

function bearerOf(header: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(header ?? "");
  if (match !== null) return match[1] as string;
  throw new ProtocolError(
    "unauthenticated",
    "Cannot answer: this directory wants a token, and there was none; set DATAWIRE_TOKEN, or token_file to a file with one",
  );
}
