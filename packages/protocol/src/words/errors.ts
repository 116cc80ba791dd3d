import { maskSecrets } from "./secrets.ts";

/**
 * What went wrong, as a closed set that callers switch over. HTTP answers and `error` messages of the link carry the
 * same words; `httpStatus` below and the exit codes of `dw` derive from them.
 */
export const ERROR_CODES = [
  "invalid_argument",
  "not_found",
  "conflict",
  "unauthenticated",
  "permission_denied",
  "limit_exceeded",
  "unsupported",
  "unavailable",
  "internal",
] as const;

/** The code of a refusal: one of `ERROR_CODES`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A refusal that the rules of this package, or a directory that follows them, gives to a user or a peer. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  /** Of a value that cannot be read, what is wrong with it, without the rest of the sentence; null where nothing says it apart. */
  readonly why: string | null;

  /** What only its owner may know is masked in the message: it quotes what was typed, and goes to logs and to others. */
  constructor(code: ErrorCode, message: string, { why, ...options }: ErrorOptions & { why?: string } = {}) {
    super(maskSecrets(message), options);
    this.code = code;
    this.why = why ?? null;
  }
}

/** The body of every answer that is not 2xx. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** HTTP status of a refusal. */
export function httpStatus(code: ErrorCode): number {
  switch (code) {
    case "invalid_argument":
      return 400;
    case "unauthenticated":
      return 401;
    case "permission_denied":
      return 403;
    case "not_found":
      return 404;
    case "conflict":
      return 409;
    case "limit_exceeded":
      return 429;
    case "unsupported":
      return 501;
    case "unavailable":
      return 503;
    case "internal":
      return 500;
  }
}
