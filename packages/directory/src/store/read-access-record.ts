import { describeError } from "@datawire/runtime";
import type { z } from "zod";
import { firstIssue, unreadable } from "../model/unreadable.ts";
import { ACCESS_PREFIX } from "./split-store.ts";
import { type AuthorityRecord, authorityRecordSchema, type TokenRecord, tokenRecordSchema } from "./token-record.ts";
import { authorityFingerprint } from "./fingerprint.ts";
import { type CodeRecord, codeRecordSchema, type SessionRecord, sessionRecordSchema } from "./session-record.ts";

/** Under which keys tokens and the authority are kept. */
export const AUTHORITY_KEY = `${ACCESS_PREFIX}authority`;
/** Below which the records of tokens lie. */
export const TOKEN_PREFIX = `${ACCESS_PREFIX}token/`;

const SESSION_PREFIX = `${ACCESS_PREFIX}session/`;
const CODE_PREFIX = `${ACCESS_PREFIX}code/`;

/** A record of who may do what; null is one that is gone. The id of a session and of a code is the hash of its secret. */
export type AccessRecord =
  | { readonly kind: "authority"; readonly value: AuthorityRecord | null }
  | { readonly kind: "token"; readonly id: string; readonly value: TokenRecord | null }
  | { readonly kind: "session"; readonly id: string; readonly value: SessionRecord | null }
  | { readonly kind: "code"; readonly id: string; readonly value: CodeRecord | null };

/** The key under which a store keeps a record of who may do what. */
export function accessKey(record: AccessRecord): string {
  switch (record.kind) {
    case "authority":
      return AUTHORITY_KEY;
    case "token":
      return TOKEN_PREFIX + record.id;
    case "session":
      return SESSION_PREFIX + record.id;
    case "code":
      return CODE_PREFIX + record.id;
  }
}

/**
 * Reads what comes out of a store or a backup, for meaning as well as for shape.
 * @throws ProtocolError `invalid_argument` that names the record.
 */
export function readAccessRecord(key: string, value: unknown): AccessRecord {
  if (key === AUTHORITY_KEY) return { kind: "authority", value: readAuthority(key, value) };
  if (key.startsWith(SESSION_PREFIX)) {
    const id = hashIn(key, SESSION_PREFIX);
    return { kind: "session", id, value: shaped(key, value, sessionRecordSchema) };
  }
  if (key.startsWith(CODE_PREFIX)) {
    const id = hashIn(key, CODE_PREFIX);
    return { kind: "code", id, value: shaped(key, value, codeRecordSchema) };
  }
  if (!key.startsWith(TOKEN_PREFIX)) throw unreadable(key, "its kind is unknown to this version");
  const id = key.slice(TOKEN_PREFIX.length);
  const token = shaped(key, value, tokenRecordSchema);
  if (token !== null && token.id !== id) throw unreadable(key, `it says that it is ${TOKEN_PREFIX}${token.id}`);
  return { kind: "token", id, value: token };
}

/** SHA-256 in base64url. */
function hashIn(key: string, prefix: string): string {
  const id = key.slice(prefix.length);
  if (/^[A-Za-z0-9_-]{43}$/.test(id)) return id;
  throw unreadable(key, "what it is kept under is no hash");
}

function readAuthority(key: string, value: unknown): AuthorityRecord | null {
  const authority = shaped(key, value, authorityRecordSchema);
  if (authority === null) return null;
  try {
    authorityFingerprint(authority);
  } catch (cause) {
    throw unreadable(key, `its certificate is none (${describeError(cause)})`);
  }
  return authority;
}

function shaped<T>(key: string, value: unknown, schema: z.ZodType<T>): T | null {
  const parsed = schema.nullable().safeParse(value);
  if (parsed.success) return parsed.data;
  throw unreadable(key, firstIssue(parsed.error));
}
