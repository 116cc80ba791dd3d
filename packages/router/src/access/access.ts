import { randomBytes, timingSafeEqual, createHash } from "node:crypto";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { createSaslServer, deriveScramCredentials, type SaslServer, type ScramCredentials } from "@datawire/amqp";
import { isLoopback } from "@datawire/runtime";
import { ALL_RIGHTS, type Rights, rightsOf, type User } from "./rights.ts";

/** Who may come, and what they may do. */
export interface Access {
  /** Whether a client has to say who it is. */
  readonly isAsked: boolean;
  /** The mechanisms for a connection. */
  sasl(socket: Socket): SaslServer;
  rightsOf(identity: string | null): Rights;
}

/** Everybody may come, and do everything. */
export const OPEN_ACCESS: Access = {
  isAsked: false,
  sasl: () => createSaslServer({ anonymous: "anonymous" }),
  rightsOf: () => ALL_RIGHTS,
};

/** Those who are named may come: with a password, or with a certificate that has their name. */
export function createUserAccess(users: readonly User[]): Access {
  const byName = new Map(users.map((user) => [user.name, user]));
  const rights = new Map(users.map((user) => [user.name, rightsOf(user)]));
  const secret = randomBytes(32);
  const credentials = new Map<string, ScramCredentials>();
  const scramOf = ({ name, password }: User): ScramCredentials | null => {
    if (password === null) return null;
    const known = credentials.get(name) ?? deriveScramCredentials(password, randomBytes(16));
    credentials.set(name, known);
    return known;
  };
  return {
    isAsked: true,
    sasl(socket) {
      const external = certifiedName(socket);
      const isPrivate = socket instanceof TLSSocket || isLoopback(socket.remoteAddress?.replace(/^::ffff:/, "") ?? "");
      return createSaslServer({
        ...(external !== null && byName.has(external) && { external }),
        scram: {
          find(name, answer) {
            const user = byName.get(name);
            answer(user === undefined ? null : scramOf(user));
          },
          nonce: () => randomBytes(24).toString("base64url"),
          secret,
        },
        ...(isPrivate && {
          plain(name: string, password: string, answer: (identity: string | null) => void) {
            const user = byName.get(name);
            answer(user?.password != null && isSame(user.password, password) ? name : null);
          },
        }),
      });
    },
    rightsOf: (identity) => rights.get(identity ?? "") ?? NO_RIGHTS,
  };
}

const NO_RIGHTS = rightsOf({ send: [], listen: [] });

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
