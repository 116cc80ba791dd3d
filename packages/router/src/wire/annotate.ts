import { encodeMessage, Sections, Typed } from "@datawire/amqp";
import type { DeadNote } from "../engine/broker-deps.ts";

const sections = new Sections();

/** A message with the annotations that say why it is dead; all its other sections stay as they are. */
export function annotate(payload: Uint8Array, { reason, from, atMs }: DeadNote): Uint8Array {
  // It was read when it came.
  if (!sections.scan(payload)) return payload;
  const messageAnnotations = new Map([
    ...(sections.messageAnnotations() ?? []),
    ["x-opt-datawire-reason", reason] as const,
    ["x-opt-datawire-from", from] as const,
    ["x-opt-datawire-at", new Typed("timestamp", atMs)] as const,
  ]);
  const begin = sections.startOf("messageAnnotations");
  const head = payload.subarray(0, begin === -1 ? sections.passedOn : begin);
  const rest = payload.subarray(begin === -1 ? sections.passedOn : endOfAnnotations(payload));
  return Buffer.concat([head, encodeMessage({ messageAnnotations }), rest]);
}

/** Where what comes after the message annotations begins. */
function endOfAnnotations(payload: Uint8Array): number {
  const after = AFTER_ANNOTATIONS.map((section) => sections.startOf(section)).filter((start) => start !== -1);
  return after.length === 0 ? payload.length : Math.min(...after);
}

const AFTER_ANNOTATIONS = [
  "properties",
  "applicationProperties",
  "data",
  "amqpSequence",
  "amqpValue",
  "footer",
] as const;
