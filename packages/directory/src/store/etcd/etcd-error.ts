import { explainSystemError } from "@datawire/runtime";

/**
 * What kept an answer of etcd from coming. `unavailable`: nothing was written. `uncertain`: the request may have been
 * carried out. `compacted`: the revision is no longer kept. `refused`: asking again without a change is of no use.
 */
export type EtcdErrorCode = "unavailable" | "uncertain" | "compacted" | "unauthenticated" | "refused";

/** A request to etcd that failed. */
export class EtcdError extends Error {
  readonly code: EtcdErrorCode;

  constructor(code: EtcdErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EtcdError";
    this.code = code;
  }
}

/** An error of etcd as it is, and any other as one of etcd: what came of it could not be used. */
export function asEtcdError(error: unknown): EtcdError {
  if (error instanceof EtcdError) return error;
  return new EtcdError("uncertain", error instanceof Error ? error.message : String(error), { cause: error });
}

/** gRPC status codes, as the gateway gives them in the body of an error. */
const GRPC = { invalidArgument: 3, permissionDenied: 7, resourceExhausted: 8, outOfRange: 11, unauthenticated: 16 };

/** What etcd says before it has proposed anything (etcd 3.4, etcdserver/api/v3rpc/rpctypes/error.go). */
const SURELY_NOT_WRITTEN = [/no leader/, /not capable/, /too many requests/, /unhealthy cluster/, /lease not found/];

/** What etcd says of a token that it does not know any more, under codes of other meanings. */
const TOKEN_ENDED = /auth store is old|user name is empty|invalid auth token/;

/** Whether the reason for which etcd ended a watch may be the token: of one that it has forgotten it may say either. */
export function saysTokenEnded(reason: string): boolean {
  return TOKEN_ENDED.test(reason) || reason.includes("permission denied");
}

/** Reads the body of an answer that is no success. */
export function readEtcdError(status: number, body: unknown): EtcdError {
  const {
    code = 0,
    message,
    error,
  } = (typeof body === "object" && body !== null ? body : {}) as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly error?: unknown;
  };
  const text = [message, error].find((one) => typeof one === "string") ?? `status ${status}`;
  if (/has been compacted/.test(text)) return new EtcdError("compacted", text);
  if (/database space exceeded/.test(text)) {
    const remedy = "compact and defragment it and disarm the alarm (docs/operating.md, section on etcd)";
    return new EtcdError("unavailable", `${text}: ${remedy}`);
  }
  if (/CommonName of client/.test(text)) {
    const why = "with users, the JSON gateway of etcd takes no client certificate that has a common name";
    return new EtcdError("refused", `${why}: make one without (docs/operating.md, section on etcd)`);
  }
  if (TOKEN_ENDED.test(text)) return new EtcdError("unauthenticated", text);
  switch (code) {
    case GRPC.unauthenticated:
      return new EtcdError("unauthenticated", text);
    case GRPC.invalidArgument:
    case GRPC.permissionDenied:
    case GRPC.resourceExhausted:
    case GRPC.outOfRange:
      return new EtcdError("refused", text);
    default:
      break;
  }
  if (status === 404 && code === 0)
    return new EtcdError("refused", "it has no /v3 interface: wanted etcd 3.4 or newer, with its JSON gateway");
  return new EtcdError(SURELY_NOT_WRITTEN.some((known) => known.test(text)) ? "unavailable" : "uncertain", text);
}

/** The errors of a connection that was never made: what was to be sent over it was not sent. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
]);

/** Says what a failed exchange with an endpoint means. */
export function exchangeError(
  endpoint: string,
  cause: unknown,
  { timedOut }: { readonly timedOut: boolean },
): EtcdError {
  if (cause instanceof EtcdError) return new EtcdError(cause.code, `${endpoint}: ${cause.message}`, { cause });
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const why = timedOut ? "no answer in time" : explainSystemError(cause).trim();
  return new EtcdError(NOT_CONNECTED.has(code) ? "unavailable" : "uncertain", `${endpoint}: ${why}`, { cause });
}
