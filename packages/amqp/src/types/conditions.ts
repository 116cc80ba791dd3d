/** The error conditions of the specification (parts 2.8.15 to 2.8.18 and 4.5.8), by the names they have there. */
export const CONDITION = {
  internalError: "amqp:internal-error",
  notFound: "amqp:not-found",
  unauthorizedAccess: "amqp:unauthorized-access",
  decodeError: "amqp:decode-error",
  resourceLimitExceeded: "amqp:resource-limit-exceeded",
  notAllowed: "amqp:not-allowed",
  invalidField: "amqp:invalid-field",
  notImplemented: "amqp:not-implemented",
  resourceLocked: "amqp:resource-locked",
  preconditionFailed: "amqp:precondition-failed",
  resourceDeleted: "amqp:resource-deleted",
  illegalState: "amqp:illegal-state",
  frameSizeTooSmall: "amqp:frame-size-too-small",
  connectionForced: "amqp:connection:forced",
  framingError: "amqp:connection:framing-error",
  connectionRedirect: "amqp:connection:redirect",
  windowViolation: "amqp:session:window-violation",
  errantLink: "amqp:session:errant-link",
  handleInUse: "amqp:session:handle-in-use",
  unattachedHandle: "amqp:session:unattached-handle",
  detachForced: "amqp:link:detach-forced",
  transferLimitExceeded: "amqp:link:transfer-limit-exceeded",
  messageSizeExceeded: "amqp:link:message-size-exceeded",
  linkRedirect: "amqp:link:redirect",
  stolen: "amqp:link:stolen",
} as const;

/**
 * What a peer did wrong: thrown inside of this package and caught at its edge, where it becomes an error that the peer is
 * told (a close, an end or a detach) and an event.
 */
export class WireFailure extends Error {
  override readonly name = "WireFailure";
  /** One of `CONDITION`. */
  readonly condition: string;

  constructor(condition: string, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** A failure of bytes that are no AMQP. */
export function decodeFailure(message: string): WireFailure {
  return new WireFailure(CONDITION.decodeError, message);
}

/** What a peer did wrong on one link alone, which is detached for it. */
export class LinkFailure extends WireFailure {}
