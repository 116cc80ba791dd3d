import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { createSaslServer, deriveScramCredentials, type SaslServer, type ScramCredentials } from "@datawire/amqp";
import { isLoopback } from "@datawire/runtime";
import { ALL_RIGHTS, NO_RIGHTS, type Rights, rightsOf, type User } from "./rights.ts";
import type { TokenBook } from "./token-book.ts";

/** Who may come, and what they may do. */
export interface Access {
  /** Whether a client has to say who it is. */
  readonly isAsked: boolean;
  /** The mechanisms for a connection. */
  sasl(socket: Socket): SaslServer;
  /** What somebody may do now who was let in; nothing where they may not stay. */
  rightsOf(identity: string | null): Rights;
  /** Who comes with a token, as in `Authorization: Bearer`; null for nobody. */
  verify(token: string): { readonly identity: string; readonly rights: Rights } | null;
  /** Whether somebody who was let in may stay. */
  holds(identity: string | null): boolean;
}

/** Everybody may come, and do everything. */
export const OPEN_ACCESS: Access = {
  isAsked: false,
  sasl: () => createSaslServer({ anonymous: "anonymous" }),
  rightsOf: () => ALL_RIGHTS,
  verify: () => ({ identity: "anonymous", rights: ALL_RIGHTS }),
  holds: () => true,
};

/** Who may come where somebody is asked. */
export interface AccessSources {
  /** With a password, or with a certificate that has their name. */
  readonly users: readonly User[];
  /** With a token of the directory; null for none. */
  readonly tokens: TokenBook | null;
}

/** Those who are named may come, and those with a token: by PLAIN, whose password it is, or SCRAM, whose user is its id. */
export function createAccess({ users, tokens }: AccessSources): Access {
  const byName = new Map(users.map((user) => [user.name, { user, rights: rightsOf(user) }]));
  const secret = randomBytes(32);
  const credentials = new Map<string, ScramCredentials>();
  const scramOf = ({ name, password }: User): ScramCredentials | null => {
    if (password === null) return null;
    const known = credentials.get(name) ?? deriveScramCredentials(password, randomBytes(16));
    credentials.set(name, known);
    return known;
  };
  /** The id of a token; one that is also the name of a user is that user. */
  const identityOf = (token: string): string | null => {
    const id = tokens?.check(token) ?? null;
    return id === null || byName.has(id) ? null : id;
  };
  const knownRights = (identity: string | null): Rights | null =>
    identity === null ? null : (byName.get(identity)?.rights ?? tokens?.rightsOf(identity) ?? null);
  return {
    isAsked: true,
    sasl(socket) {
      const external = certifiedName(socket);
      const isPrivate = socket instanceof TLSSocket || isLoopback(socket.remoteAddress?.replace(/^::ffff:/, "") ?? "");
      return createSaslServer({
        ...(external !== null && byName.has(external) && { external }),
        scram: {
          find(name, answer) {
            const known = byName.get(name);
            answer(known === undefined ? (tokens?.credentialsOf(name) ?? null) : scramOf(known.user));
          },
          nonce: () => randomBytes(24).toString("base64url"),
          secret,
        },
        ...(isPrivate && {
          plain(name: string, password: string, answer: (identity: string | null) => void) {
            const known = byName.get(name)?.user.password ?? null;
            answer(known !== null && isSame(known, password) ? name : identityOf(password));
          },
        }),
      });
    },
    rightsOf: (identity) => knownRights(identity) ?? NO_RIGHTS,
    verify(token) {
      const identity = identityOf(token);
      const rights = knownRights(identity);
      return identity === null || rights === null ? null : { identity, rights };
    },
    holds: (identity) => knownRights(identity) !== null,
  };
}

/** The name in the certificate of a client, where an authority of ours has made it out. */
function certifiedName(socket: Socket): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" && name !== "" ? name : null;
}

/** In a time that does not tell where two differ, or how long they are. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
