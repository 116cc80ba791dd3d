import { ProtocolError, ROLES } from "@datawire/protocol";
import { type TokenRecord, TOKENS_MAX } from "../store/token-record.ts";

/** The tokens that a directory knows, by the hash of their secret: finding one compares no secrets, so takes no telling time. */
export class Tokens {
  readonly #byId = new Map<string, TokenRecord>();
  readonly #byHash = new Map<string, TokenRecord>();

  /** Takes a record that is durable; null for one that is revoked. */
  set(id: string, record: TokenRecord | null): void {
    const before = this.#byId.get(id);
    if (before !== undefined) this.#byHash.delete(before.hash);
    this.#byId.delete(id);
    if (record === null) return;
    this.#byId.set(id, record);
    this.#byHash.set(record.hash, record);
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): TokenRecord | null {
    return this.#byId.get(id) ?? null;
  }

  /** The tenants that have tokens. */
  tenants(): Set<string> {
    return new Set([...this.#byId.values()].flatMap(({ tenant }) => tenant ?? []));
  }

  /** The oldest first. Those of one tenant, or of all where none is given. */
  list(tenant: string | null): TokenRecord[] {
    return [...this.#byId.values()]
      .filter((record) => tenant === null || record.tenant === tenant)
      .toSorted((a, b) => a.createdMs - b.createdMs || rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  }

  /**
   * Finds the token whose secret has this hash.
   * @throws ProtocolError `unauthenticated` for one that is unknown or no longer holds.
   */
  find(hash: string, nowMs: number): TokenRecord {
    const record = this.#byHash.get(hash);
    if (record === undefined) {
      throw new ProtocolError(
        "unauthenticated",
        "Cannot accept the token: it is unknown here; it was revoked, or another directory made it",
      );
    }
    const ended = endOf(record, nowMs);
    if (ended !== null) throw new ProtocolError("unauthenticated", `Cannot accept the token: ${ended}`);
    return record;
  }

  /** Why a token that was accepted no longer holds; null while it does. */
  ended(id: string, nowMs: number): string | null {
    const record = this.#byId.get(id);
    return record === undefined ? `the token ${id} was revoked` : endOf(record, nowMs);
  }

  /**
   * Makes sure that there is room for more.
   * @throws ProtocolError `limit_exceeded`
   */
  requireRoom(): void {
    if (this.size < TOKENS_MAX) return;
    throw new ProtocolError("limit_exceeded", `Cannot create a token: there are ${TOKENS_MAX}, which is the bound`);
  }
}

/** The first tokens are made within a millisecond, the mightiest first. */
const rank = ({ role }: TokenRecord): number => -ROLES.indexOf(role);

function endOf({ id, expiresMs }: TokenRecord, nowMs: number): string | null {
  if (expiresMs === null || nowMs < expiresMs) return null;
  return `the token ${id} expired at ${new Date(expiresMs).toISOString()}`;
}
