/**
 * Why something failed. `aborted`: its signal aborted. `closed`: the microserver was closed before it was done. `timeout`:
 * its time was over. `invalid_argument`: it cannot be, whatever the router does. `not_found`, `unauthorized`: the router
 * does not give this address, or not to us. `rejected`: whoever got the message refused it. `limit`: the message, or all
 * that wait, are more than a bound. `storage`: the folder of the outbox cannot be used.
 */
export type ErrorCode =
  | "aborted"
  | "closed"
  | "timeout"
  | "invalid_argument"
  | "not_found"
  | "unauthorized"
  | "rejected"
  | "limit"
  | "storage";

/** All that this library throws: `code` says what to do about it, the message what was found and what was wanted. */
export class MicroserverError extends Error {
  override readonly name = "MicroserverError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The error of a wait whose signal aborted. */
export function abortedError(what: string, signal: AbortSignal): MicroserverError {
  return new MicroserverError("aborted", `Cannot ${what}: the signal aborted`, { cause: signal.reason });
}

/** @throws MicroserverError `aborted` where a signal has aborted. */
export function requireGoing(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(what, signal);
}

/** What the router's refusal of a link means; null where another attempt may be better. */
export function refusalCode(condition: string | null): ErrorCode | null {
  switch (condition) {
    case "amqp:not-found":
      return "not_found";
    case "amqp:unauthorized-access":
      return "unauthorized";
    case "amqp:invalid-field":
    case "amqp:not-implemented":
    case "amqp:not-allowed":
    case "amqp:precondition-failed":
      return "invalid_argument";
    default:
      return null;
  }
}
