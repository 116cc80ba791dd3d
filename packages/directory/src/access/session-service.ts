import { createHmac, randomBytes } from "node:crypto";
import { ProtocolError } from "@datawire/protocol";
import type { Clock } from "@datawire/runtime";
import type { AccessRecord } from "../store/read-access-record.ts";
import type { RecordJournal } from "../store/record-journal.ts";
import type { CodeRecord, SessionRecord } from "../store/session-record.ts";
import { hashOf } from "./hash-of.ts";
import type { Tokens } from "./tokens.ts";

/** The most sessions of all tokens, and of one: past the latter the oldest of it ends. */
const SESSIONS_MAX = 10_000;
const SESSIONS_OF_TOKEN_MAX = 100;
/** The most codes that wait to be used. */
const CODES_MAX = 1_000;
/** For how long a code is good. */
const CODE_MS = 60_000;
/** The most records that are over and leave with one that comes: a store takes only so many writes at once. */
const LEAVING_MAX = 20;

/** A session that was just opened: what is returned is the only place where its secret ever is. */
export interface OpenedSession {
  readonly secret: string;
  readonly expiresMs: number;
  /** The id of the token that it stands for. */
  readonly token: string;
}

interface SessionDeps {
  readonly journal: Pick<RecordJournal<AccessRecord>, "change">;
  readonly tokens: Tokens;
  readonly clock: Pick<Clock, "nowMs">;
}

type Kept = Extract<AccessRecord, { readonly kind: "session" | "code" }>;

/** The sessions of the console and the codes that open one. Each stands for a token, and ends with it. */
export class SessionService {
  readonly #deps: SessionDeps;
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #codes = new Map<string, CodeRecord>();

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** Takes a record that is durable. */
  set({ kind, id, value }: Kept): void {
    const kept: Map<string, unknown> = kind === "session" ? this.#sessions : this.#codes;
    if (value === null) kept.delete(id);
    else kept.set(id, value);
  }

  /**
   * Opens a session for a token, which ends by itself after so many milliseconds.
   * @param replaced secrets of the browser that signs in: their sessions end as this one begins.
   */
  open(token: string, lifeMs: number, replaced: readonly string[] = []): Promise<OpenedSession> {
    return this.#deps.journal.change(() => this.#opening(token, lifeMs, this.#ending(replaced)));
  }

  /**
   * Opens a session by a code, which is good no more then, at whichever directory on the same store.
   * @param replaced as of `open`
   * @throws ProtocolError `unauthenticated`
   */
  openByCode(code: string, lifeMs: number, replaced: readonly string[] = []): Promise<OpenedSession> {
    const id = hashOf(code);
    return this.#deps.journal.change(() => {
      const nowMs = this.#deps.clock.nowMs();
      const record = this.#codes.get(id);
      if (record === undefined || nowMs >= record.expiresMs || this.#deps.tokens.ended(record.token, nowMs) !== null)
        throw new ProtocolError(
          "unauthenticated",
          "Cannot sign in by this code: it is unknown here, was used, or is older than a minute; `dw console` makes another one",
        );
      return this.#opening(record.token, lifeMs, [{ kind: "code", id, value: null }, ...this.#ending(replaced)]);
    });
  }

  /** Makes a code that opens one session for a token. */
  async createCode(token: string): Promise<{ readonly code: string; readonly expiresMs: number }> {
    const code = randomBytes(32).toString("base64url");
    const expiresMs = this.#deps.clock.nowMs() + CODE_MS;
    await this.#deps.journal.change(() => {
      const over = this.#over();
      if (this.#codes.size - over.length >= CODES_MAX)
        throw new ProtocolError("limit_exceeded", `Cannot make a code: ${CODES_MAX} wait to be used; wanted a pause`);
      return { records: [...over, { kind: "code", id: hashOf(code), value: { token, expiresMs } }], result: null };
    });
    return { code, expiresMs };
  }

  /** The session of that secret; null where there is none that holds. */
  find(secret: string): SessionRecord | null {
    const record = this.#sessions.get(hashOf(secret)) ?? null;
    return record !== null && this.#hasEnded(record) ? null : record;
  }

  /** How many sessions a token has. */
  openOf(token: string): number {
    return [...this.#sessions.values()].filter((one) => one.token === token && !this.#hasEnded(one)).length;
  }

  /** Ends sessions by their secrets; one that is over is none. */
  end(secrets: readonly string[]): Promise<void> {
    return this.#deps.journal.change(() => ({ records: this.#ending(secrets), result: undefined }));
  }

  #ending(secrets: readonly string[]): Kept[] {
    const ids = secrets.map(hashOf).filter((id) => this.#sessions.has(id));
    return [...new Set(ids)].map((id) => ({ kind: "session", id, value: null }));
  }

  #opening(token: string, lifeMs: number, more: readonly Kept[]) {
    const secret = randomBytes(32).toString("base64url");
    const createdMs = this.#deps.clock.nowMs();
    const expiresMs = createdMs + lifeMs;
    // What ends in another way too is recorded once: a store takes each record once.
    const leaving = [...this.#over(), ...this.#crowdedOut(token)].filter(
      ({ id }) => !more.some((one) => one.id === id),
    );
    const ended = [...leaving, ...more].filter(({ kind }) => kind === "session");
    if (this.#sessions.size - ended.length >= SESSIONS_MAX)
      throw new ProtocolError(
        "limit_exceeded",
        `Cannot sign in: there are ${SESSIONS_MAX} sessions, which is the bound`,
      );
    const records: Kept[] = [
      ...leaving,
      ...more,
      { kind: "session", id: hashOf(secret), value: { token, createdMs, expiresMs } },
    ];
    return { records, result: { secret, expiresMs, token } };
  }

  /** Some of what no longer holds. */
  #over(): Kept[] {
    const over: Kept[] = [];
    for (const [kind, records] of [
      ["session", this.#sessions],
      ["code", this.#codes],
    ] as const)
      for (const [id, record] of records) {
        if (over.length >= LEAVING_MAX) return over;
        if (this.#hasEnded(record)) over.push({ kind, id, value: null });
      }
    return over;
  }

  /** What makes room for another session of a token that has as many as it may have. */
  #crowdedOut(token: string): Kept[] {
    const own = [...this.#sessions].filter(([, record]) => record.token === token && !this.#hasEnded(record));
    return own
      .toSorted(([, a], [, b]) => a.createdMs - b.createdMs)
      .slice(0, Math.max(0, Math.min(LEAVING_MAX, own.length + 1 - SESSIONS_OF_TOKEN_MAX)))
      .map(([id]) => ({ kind: "session", id, value: null }));
  }

  #hasEnded({ token, expiresMs }: CodeRecord): boolean {
    const nowMs = this.#deps.clock.nowMs();
    return nowMs >= expiresMs || this.#deps.tokens.ended(token, nowMs) !== null;
  }
}

/** What a change by a session has to bring beside its cookie; it follows from the secret, so that nothing more is kept. */
export const csrfOf = (secret: string): string => createHmac("sha256", secret).update("csrf").digest("base64url");
