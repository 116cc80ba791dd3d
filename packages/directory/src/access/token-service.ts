import { createHash, randomBytes } from "node:crypto";
import { formatToken, ProtocolError, type Role } from "@datawire/protocol";
import { type RecordStore, StoreError } from "../store/contract.ts";
import { type JournalDeps, type Recorded, RecordJournal } from "../store/record-journal.ts";
import type { AuthorityRecord, TokenRecord } from "../store/token-record.ts";
import {
  accessKey,
  type AccessRecord,
  AUTHORITY_KEY,
  readAccessRecord,
  TOKEN_PREFIX,
} from "../store/read-access-record.ts";
import { Tokens } from "./tokens.ts";
import { hashOf, scramVerifierOf } from "./hash-of.ts";
import { hasRight } from "./rights.ts";
import { SessionService } from "./session-service.ts";
import { authorityFingerprint } from "../store/fingerprint.ts";

/** What a new token is for. */
export interface TokenOrder {
  readonly role: Role;
  readonly services: readonly string[] | null;
  /** Patterns of the addresses that it may send to, and receive from; null where the role alone decides. */
  readonly send?: readonly string[] | null;
  readonly listen?: readonly string[] | null;
  /** Patterns of what the certificate of a router may be for; null for what is of the machine that it comes from. */
  readonly hosts?: readonly string[] | null;
  readonly tenant: string | null;
  readonly expiresMs: number | null;
}

/** A token as whoever wanted it is given it, and as it is kept. */
export interface MadeToken {
  readonly token: string;
  readonly record: TokenRecord;
}

interface TokenServiceDeps extends JournalDeps {
  /** Where tokens and the authority are kept, and nothing else is. */
  readonly store: RecordStore;
  /** Told when tokens were made or revoked, here or by another directory on the same store. */
  readonly changed: () => void;
  /** Whether the directory shows certificates of its own authority, so that tokens name it. */
  readonly pins: boolean;
}

/** The roles of the first tokens: those of the programs that every installation has, and of the people who run it. */
export const FIRST_ROLES = ["watson", "sherlock", "operator", "admin"] as const satisfies readonly Role[];

/** The same at every directory, so that of several that start at once on one store one makes the first tokens. */
const firstIdOf = (role: Role): string => createHash("sha256").update(`first ${role}`).digest("hex").slice(0, 8);

/** Makes and revokes tokens, one after the other, and keeps the authority that they name. */
export class TokenService {
  readonly tokens = new Tokens();
  /** Sessions of the console, and codes that open one: they are recorded among the tokens that they stand for. */
  readonly sessions: SessionService;
  readonly #deps: TokenServiceDeps;
  readonly #journal: RecordJournal<AccessRecord>;
  #authority: AuthorityRecord | null = null;
  #making: Promise<AuthorityRecord> | null = null;

  constructor(deps: TokenServiceDeps) {
    this.#deps = deps;
    const recorded: Recorded<AccessRecord> = {
      read: readAccessRecord,
      keyOf: accessKey,
      apply: (record: AccessRecord): void => {
        if (record.kind === "authority") this.#authority = record.value;
        else if (record.kind === "token") this.tokens.set(record.id, record.value);
        else this.sessions.set(record);
      },
      // One that cannot be read, as a newer directory on the same store may have written it, lets nobody in.
      leftOut(): void {},
      applied: () => deps.changed(),
    };
    this.#journal = new RecordJournal("tokens", recorded, deps);
    this.sessions = new SessionService({ journal: this.#journal, tokens: this.tokens, clock: deps.clock });
  }

  /** Takes what the store holds. Must be the first call. */
  async load(): Promise<void> {
    this.#journal.begin(await this.#deps.store.load());
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
    const fingerprint = await this.#fingerprint();
    const made = await this.#journal.change(() => {
      this.tokens.requireRoom();
      const result = this.#make(order, { id: this.#freeId(), by, fingerprint });
      return { records: [result], result };
    });
    return handed(made);
  }

  /**
   * Makes the first tokens where there are none yet, all of them or none.
   * @returns null where there are tokens: another directory on the same store may have made them at this moment.
   */
  async createFirst(by: string): Promise<readonly MadeToken[] | null> {
    const fingerprint = await this.#fingerprint();
    const made = await this.#journal.change(() => {
      const ids = FIRST_ROLES.toReversed().map((role) => ({ role, id: firstIdOf(role) }));
      // One that cannot be read is there all the same.
      if (this.tokens.size > 0 || ids.some(({ id }) => this.#journal.has(TOKEN_PREFIX + id)))
        return { records: [], result: null };
      const result = ids.map(({ role, id }) =>
        this.#make({ role, services: null, tenant: null, expiresMs: null }, { id, by, fingerprint }),
      );
      return { records: result, result };
    });
    return made?.map(handed) ?? null;
  }

  /**
   * Ends a token, and with it every link that was opened with it.
   * @param tenant the only one whose tokens may be revoked; null for all.
   * @throws ProtocolError `not_found`
   */
  revoke(id: string, { tenant }: { readonly tenant: string | null }): Promise<TokenRecord> {
    return this.#journal.change(() => {
      const result = this.requireToken(id, { tenant });
      return { records: [{ kind: "token", id, value: null }], result };
    });
  }

  /**
   * The token that is to be revoked.
   * @throws ProtocolError `not_found`, also for one of a tenant that is another's.
   */
  requireToken(id: string, { tenant }: { readonly tenant: string | null }): TokenRecord {
    const record = this.tokens.get(id);
    if (record !== null && (tenant === null || record.tenant === tenant)) return record;
    throw new ProtocolError("not_found", `Cannot revoke ${JSON.stringify(id.slice(0, 100))}: there is no such token`);
  }

  async #makeAuthority(): Promise<AuthorityRecord> {
    // Its library is large, and needed once in the life of a store.
    const { createAuthority } = await import("@datawire/http/authority");
    const made = await createAuthority(this.#deps.clock.nowMs(), "directory");
    return this.#journal.change(() => {
      // Another directory on the same store may have been first.
      if (this.#authority !== null) return { records: [], result: this.#authority };
      if (!this.#journal.has(AUTHORITY_KEY)) return { records: [{ kind: "authority", value: made }], result: made };
      // Another one in its place would shut out every client that trusts the one that was.
      throw new StoreError(
        "damaged",
        "Cannot use the authority of this directory: what its store has of it cannot be read; restore a backup with `directory restore`",
      );
    });
  }

  /** An id that no token has, be it one that cannot be read. */
  #freeId(): string {
    for (;;) {
      const id = randomBytes(4).toString("hex");
      if (!this.#journal.has(TOKEN_PREFIX + id)) return id;
    }
  }

  #make(order: TokenOrder, { id, by, fingerprint }: Making) {
    const secret = randomBytes(32).toString("base64url");
    const token = formatToken({ secret, fingerprint });
    const [send, listen] = [copy(order.send), copy(order.listen)];
    const lists = { services: copy(order.services), send, listen, hosts: copy(order.hosts) };
    const scram = hasRight(order.role, "message") ? scramVerifierOf(token) : null;
    const createdMs = this.#deps.clock.nowMs();
    const value: TokenRecord = { id, hash: hashOf(secret), ...order, ...lists, scram, createdMs, createdBy: by };
    return { kind: "token", id, value, token } as const;
  }

  /** Of the authority that tokens name; null where they name none. */
  async #fingerprint(): Promise<string | null> {
    return this.#deps.pins ? authorityFingerprint(await this.authority()) : null;
  }
}

interface Making {
  readonly id: string;
  readonly by: string;
  readonly fingerprint: string | null;
}

const copy = (list: readonly string[] | null = null): string[] | null => (list === null ? null : [...list]);

const handed = ({ value, token }: { readonly value: TokenRecord; readonly token: string }): MadeToken => ({
  token,
  record: value,
});
