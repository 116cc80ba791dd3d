import { ProtocolError } from "@datawire/protocol";
import { describeError } from "@datawire/runtime";
import type { z } from "zod";
import { ACCESS_PREFIX } from "./split-store.ts";
import { type AuthorityRecord, authorityRecordSchema, type TokenRecord, tokenRecordSchema } from "./token-record.ts";
import { authorityFingerprint } from "./fingerprint.ts";

/** Under which keys tokens and the authority are kept. */
export const AUTHORITY_KEY = `${ACCESS_PREFIX}authority`;
/** Below which the records of tokens lie. */
export const TOKEN_PREFIX = `${ACCESS_PREFIX}token/`;

/** A record of who may do what; null is one that is gone. */
export type AccessRecord =
  | { readonly kind: "authority"; readonly value: AuthorityRecord | null }
  | { readonly kind: "token"; readonly id: string; readonly value: TokenRecord | null };

/** The key under which a store keeps a record of who may do what. */
export const accessKey = (record: AccessRecord): string =>
  record.kind === "authority" ? AUTHORITY_KEY : TOKEN_PREFIX + record.id;

/**
 * Reads what comes out of a store or a backup, for meaning as well as for shape.
 * @throws ProtocolError `invalid_argument` that names the record.
 */
export function readAccessRecord(key: string, value: unknown): AccessRecord {
  if (key === AUTHORITY_KEY) return { kind: "authority", value: readAuthority(key, value) };
  if (!key.startsWith(TOKEN_PREFIX)) throw unreadable(key, "its kind is unknown to this version");
  const id = key.slice(TOKEN_PREFIX.length);
  const token = shaped(key, value, tokenRecordSchema);
  if (token !== null && token.id !== id) throw unreadable(key, `it says that it is ${TOKEN_PREFIX}${token.id}`);
  return { kind: "token", id, value: token };
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
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw unreadable(key, where + (issue?.message ?? "malformed"));
}

const unreadable = (key: string, why: string): ProtocolError =>
  new ProtocolError("invalid_argument", `Cannot read record ${JSON.stringify(key.slice(0, 300))}: ${why}`);
