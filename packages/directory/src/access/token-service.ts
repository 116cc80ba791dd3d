import { createHash, randomBytes } from "node:crypto";
import { formatToken, ProtocolError, type Role } from "@datawire/protocol";
import type { Clock, Logger, ProblemBoard } from "@datawire/runtime";
import { LeftOut } from "../problems/left-out.ts";
import { type RecordWrite, type Store, StoreError, type VersionedRecord } from "../store/contract.ts";
import type { AuthorityRecord, TokenRecord } from "../store/token-record.ts";
import { AUTHORITY_KEY, readAccessRecord, TOKEN_PREFIX } from "../store/read-access-record.ts";
import { Tokens } from "./tokens.ts";
import { hashOf } from "./gate.ts";
import { authorityFingerprint } from "../store/fingerprint.ts";

/** What a new token is for. */
export interface TokenOrder {
  readonly role: Role;
  readonly services: readonly string[] | null;
  readonly tenant: string | null;
  readonly expiresMs: number | null;
}

/** A token as whoever wanted it is given it, and as it is kept. */
export interface MadeToken {
  readonly token: string;
  readonly record: TokenRecord;
}

interface TokenServiceDeps {
  /** Where tokens and the authority are kept, and nothing else is. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly board: Pick<ProblemBoard, "set">;
  /** Whether the directory shows certificates of its own authority, so that tokens name it. */
  readonly pins: boolean;
}

/** The version of a record that is not there. */
const ABSENT = 0;

/** The roles of the first tokens: those of the programs that every installation has, and of the people who run it. */
export const FIRST_ROLES = ["watson", "sherlock", "operator", "admin"] as const satisfies readonly Role[];

/** The same at every directory, so that of several that start at once on one store one makes the first tokens. */
const firstIdOf = (role: Role): string => createHash("sha256").update(`first ${role}`).digest("hex").slice(0, 8);

/** Makes and revokes tokens, one after the other, and keeps the authority that they name. */
export class TokenService {
  readonly tokens = new Tokens();
  readonly #deps: TokenServiceDeps;
  readonly #versions = new Map<string, number>();
  #authority: AuthorityRecord | null = null;
  #making: Promise<AuthorityRecord> | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #leftOut: LeftOut;
  #listener: () => void = () => {};

  constructor(deps: TokenServiceDeps) {
    this.#deps = deps;
    this.#leftOut = new LeftOut("tokens", deps);
  }

  /** Takes what the store holds. Must be the first call. */
  async load(): Promise<void> {
    const { store } = this.#deps;
    const { records } = await store.load();
    for (const record of records) this.#take(record);
    store.follow((followed) => {
      for (const record of followed) this.#take(record);
      this.#listener();
    });
  }

  /** Calls `listener` when tokens were made or revoked, here or by another directory on the same store. */
  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  /** The directory's own authority; made when there is none yet, once however many ask. */
  async authority(): Promise<AuthorityRecord> {
    if (this.#authority !== null) return this.#authority;
    this.#making ??= this.#makeAuthority().finally(() => (this.#making = null));
    return this.#making;
  }

  /**
   * Makes a token. What is returned is the only place where its secret ever is.
   * @param by who wants it.
   */
  async create(order: TokenOrder, by: string): Promise<MadeToken> {
    this.tokens.requireRoom();
    const made = this.#make(order, { id: randomBytes(4).toString("hex"), by });
    await this.#write([{ ...made, expected: ABSENT }]);
    return this.#handed(made);
  }

  /**
   * Makes the first tokens where there are none yet, all of them or none.
   * @returns null where there are tokens: another directory on the same store may have made them at this moment.
   */
  async createFirst(by: string): Promise<readonly MadeToken[] | null> {
    if (this.tokens.size > 0) return null;
    const made = FIRST_ROLES.toReversed().map((role) =>
      this.#make({ role, services: null, tenant: null, expiresMs: null }, { id: firstIdOf(role), by }),
    );
    try {
      await this.#write(made.map((one) => ({ ...one, expected: ABSENT })));
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "conflict") throw error;
      await this.#reload();
      return null;
    }
    return Promise.all(made.map((one) => this.#handed(one)));
  }

  /**
   * Ends a token, and with it every link that was opened with it.
   * @param tenant the only one whose tokens may be revoked; null for all.
   * @throws ProtocolError `not_found`
   */
  async revoke(id: string, { tenant }: { readonly tenant: string | null }): Promise<TokenRecord> {
    const record = this.tokens.get(id);
    if (record === null || (tenant !== null && record.tenant !== tenant))
      throw new ProtocolError("not_found", `Cannot revoke ${JSON.stringify(id.slice(0, 100))}: there is no such token`);
    const key = `${TOKEN_PREFIX}${id}`;
    await this.#write([{ key, value: null, expected: this.#versions.get(key) ?? ABSENT }]);
    return record;
  }

  async #makeAuthority(): Promise<AuthorityRecord> {
    const { clock } = this.#deps;
    // Its library is large, and needed once in the life of a store.
    const { createAuthority } = await import("./authority.ts");
    const made = await createAuthority(clock.nowMs());
    try {
      await this.#write([{ key: AUTHORITY_KEY, value: made, expected: ABSENT }]);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "conflict") throw error;
      // Another directory on the same store was first.
      await this.#reload();
    }
    if (this.#authority !== null) return this.#authority;
    // Another one in its place would shut out every client that trusts the one that was.
    throw new StoreError(
      "damaged",
      "Cannot use the authority of this directory: what its store has of it cannot be read; restore a backup with `directory restore`",
    );
  }

  #make(order: TokenOrder, { id, by }: { readonly id: string; readonly by: string }) {
    const secret = randomBytes(32).toString("base64url");
    const services = order.services === null ? null : [...order.services];
    const createdMs = this.#deps.clock.nowMs();
    const value: TokenRecord = { id, hash: hashOf(secret), ...order, services, createdMs, createdBy: by };
    return { key: `${TOKEN_PREFIX}${id}`, value, secret };
  }

  async #handed({ value, secret }: { readonly value: TokenRecord; readonly secret: string }): Promise<MadeToken> {
    const fingerprint = this.#deps.pins ? authorityFingerprint(await this.authority()) : null;
    return { token: formatToken({ secret, fingerprint }), record: value };
  }

  async #reload(): Promise<void> {
    for (const record of (await this.#deps.store.load()).records) this.#take(record);
  }

  /** What another directory has made since is never replaced: what is new is expected to be absent. */
  #write(records: readonly RecordWrite[]): Promise<void> {
    const work = async (): Promise<void> => {
      const writes = records.map(({ key, value, expected }): RecordWrite => ({ key, value, expected }));
      const version = await this.#deps.store.commit(writes);
      for (const { key, value } of writes) this.#take({ key, value, version });
      this.#listener();
    };
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {}); // whoever asked is told; the next one is not concerned
    return result;
  }

  /** One that cannot be read, as a newer directory on the same store may have written it, is left out; the rest holds. */
  #take({ key, value, version }: VersionedRecord): void {
    if (value === null) this.#versions.delete(key);
    else this.#versions.set(key, version);
    this.#leftOut.settle(key);
    try {
      const read = readAccessRecord(key, value);
      if (read.kind === "authority") this.#authority = read.value;
      else this.tokens.set(read.id, read.value);
    } catch (error) {
      if (value !== null) this.#leftOut.add(key, error);
    }
  }
}
