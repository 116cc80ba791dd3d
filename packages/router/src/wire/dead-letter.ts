import { decodeMessage, messageIdText, Typed, WireFailure } from "@datawire/amqp";
import type { Delivery } from "../queue/delivery.ts";

/** A dead letter, as `dw queue dead list` shows it. */
export interface DeadLetter {
  readonly reason: string | null;
  /** When it died, RFC 3339. */
  readonly at: string | null;
  readonly id: string | null;
  readonly subject: string | null;
  readonly bytes: number;
}

/** What a dead letter says of itself. */
export function deadLetter({ record }: Delivery): DeadLetter {
  const message = decodeMessage(record.payload);
  const { length: bytes } = record.payload;
  if (message instanceof WireFailure) return { reason: null, at: null, id: null, subject: null, bytes };
  const reason = message.messageAnnotations?.get("x-opt-datawire-reason");
  const id = message.properties?.messageId;
  const at = message.messageAnnotations?.get("x-opt-datawire-at");
  const written = at instanceof Typed ? at.value : at;
  return {
    reason: typeof reason === "string" ? reason : null,
    at: written instanceof Date ? written.toISOString() : null,
    id: id === undefined ? null : messageIdText(id),
    subject: message.properties?.subject ?? null,
    bytes,
  };
}
