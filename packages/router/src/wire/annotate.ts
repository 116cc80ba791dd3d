import { annotated, Sections, Typed, type Value } from "@datawire/amqp";
import type { DeadNote } from "../engine/broker-deps.ts";

const sections = new Sections();

/** A message with the annotations that say why it is dead; all other bytes stay as they are. */
export function annotate(payload: Uint8Array, { reason, from, atMs }: DeadNote): Uint8Array {
  // It was read when it came.
  if (!sections.scan(payload)) return payload;
  const more = new Map<string, Value>([
    ["x-opt-datawire-reason", reason],
    ["x-opt-datawire-from", from],
    ["x-opt-datawire-at", new Typed("timestamp", atMs)],
  ]);
  const begin = sections.startOf("messageAnnotations");
  const head = payload.subarray(0, begin === -1 ? sections.passedOn : begin);
  const rest = payload.subarray(begin === -1 ? sections.passedOn : sections.endOf("messageAnnotations"));
  return Buffer.concat([head, annotated(sections, "messageAnnotations", more), rest]);
}
