/** The conditions of AMQP 1.0 that the router answers with. */
export type Condition =
  | "amqp:not-found"
  | "amqp:not-allowed"
  | "amqp:invalid-field"
  | "amqp:not-implemented"
  | "amqp:unauthorized-access"
  | "amqp:resource-limit-exceeded"
  | "amqp:resource-deleted"
  | "amqp:precondition-failed"
  | "amqp:link:stolen";

/** Why a link or a message is not taken, in the words that its peer gets. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly condition: Condition;

  constructor(condition: Condition, message: string) {
    super(message);
    this.condition = condition;
  }
}
