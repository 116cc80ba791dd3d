import type { DownCause } from "@datawire/protocol";
import { explainSystemError, InvalidResponse, systemErrorCode } from "@datawire/runtime";
import type { Probe } from "../model/belief.ts";

/** What a connection or an exchange that failed says of its target; `note` stands behind it. */
export function failure(error: unknown, target: string, note = ""): Probe {
  const code = codeOf(error);
  return { ok: false, reason: `${describe(error, code, target)}${note}`, cause: CAUSES.get(code ?? "") ?? "failed" };
}

const CAUSES: ReadonlyMap<string, DownCause> = new Map<string, DownCause>(
  Object.entries({
    ECONNREFUSED: "refused",
    EHOSTUNREACH: "timeout",
    ETIMEDOUT: "timeout",
  }),
);

/** In the words that operators see: "connection refused by 127.0.0.1:8080". */
function describe(error: unknown, code: string | undefined, target: string): string {
  const known = code === undefined ? undefined : REASONS.get(code);
  if (known !== undefined) return `${known} ${target}`;
  if (error instanceof InvalidResponse) return `no valid HTTP from ${target}: ${error.message}`;
  // OpenSSL's own message has its files and functions in it.
  const message = explainSystemError(error).replace(/^TLS failed: /, "");
  if (code !== undefined && /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code))
    return `TLS with ${target} failed: ${message}`;
  return `check of ${target} failed: ${message}`;
}

/** The code of an error; that of its cause, or of the first of several attempts at one name, where that says more. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  const inner = error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : undefined;
  return inner !== undefined && REASONS.get(inner) !== undefined ? inner : systemErrorCode(error);
}

const REASONS: ReadonlyMap<string, string> = new Map<string, string>(
  Object.entries({
    ECONNREFUSED: "connection refused by",
    ECONNRESET: "connection closed before an answer by",
    EPIPE: "connection closed before an answer by",
    EHOSTUNREACH: "no route to",
    ENETUNREACH: "no route to",
    ETIMEDOUT: "no connection within the time of the system to",
    ENOTFOUND: "no address found for",
    EAI_AGAIN: "no resolver answers for",
    EMFILE: "no file descriptor left in Watson for a connection to",
    EADDRNOTAVAIL: "no local port or address left for a connection to",
  }),
);
