import { createHash } from "node:crypto";
import type { ScramCredentials } from "@datawire/amqp";
import { parsePattern, parseToken, type RouterToken } from "@datawire/protocol";
import { ALL_RIGHTS, type Rights, rightsOf } from "./rights.ts";

/** A token that holds, with what its holder may do. */
interface Known {
  readonly token: RouterToken;
  readonly rights: Rights;
}

/** The tokens of the directory, which the router knows by their hashes: as many as hold now, or held when it was last reached. */
export class TokenBook {
  readonly #nowMs: () => number;
  #byHash = new Map<string, Known>();
  #byId = new Map<string, Known>();

  /** @param nowMs the wall clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes the place of all that were known. */
  set(tokens: readonly RouterToken[]): void {
    const known = tokens.map((token): Known => ({ token, rights: rightsOfToken(token) }));
    this.#byHash = new Map(known.map((one) => [one.token.hash, one]));
    this.#byId = new Map(known.map((one) => [one.token.id, one]));
  }

  /** The tenant that all tokens are of, and so the table: that of the router's own token. Null for those without a tenant. */
  get onlyTenant(): string | null {
    const tenants = new Set([...this.#byId.values()].map(({ token }) => token.tenant));
    const [only = null] = tenants;
    return tenants.size === 1 ? only : null;
  }

  /** The id of a token as its holder has it; null for one that does not hold. */
  check(text: string): string | null {
    const hash = hashOf(text);
    const known = hash === null ? undefined : this.#byHash.get(hash);
    return known === undefined || this.#isOver(known) ? null : known.token.id;
  }

  /** What its holder may do; null for one that does not hold. */
  rightsOf(id: string): Rights | null {
    const known = this.#byId.get(id);
    return known === undefined || this.#isOver(known) ? null : known.rights;
  }

  /** What checks it by SCRAM; null for one that does not hold, or cannot be checked so. */
  credentialsOf(id: string): ScramCredentials | null {
    const known = this.#byId.get(id);
    if (known === undefined || known.token.scram === null || this.#isOver(known)) return null;
    const { salt, iterations, storedKey, serverKey } = known.token.scram;
    const bytes = (text: string): Uint8Array => Buffer.from(text, "base64");
    return { salt: bytes(salt), iterations, storedKey: bytes(storedKey), serverKey: bytes(serverKey) };
  }

  #isOver({ token: { expiresMs } }: Known): boolean {
    return expiresMs !== null && this.#nowMs() >= expiresMs;
  }
}

/** The directory's hash of the secret in a token; null for what is none. */
function hashOf(text: string): string | null {
  try {
    return createHash("sha256").update(parseToken(text).secret).digest("base64url");
  } catch {
    return null; // whoever tried hears that it failed, and no word more
  }
}

function rightsOfToken({ role, tenant, send, listen }: RouterToken): Rights {
  if (role === "operator" || role === "admin" || role === "router") return { ...ALL_RIGHTS, tenant };
  const patterns = (texts: readonly string[] | null) => (texts ?? []).map(parsePattern);
  return { ...rightsOf({ send: patterns(send), listen: patterns(listen) }), mayManage: false, tenant };
}
