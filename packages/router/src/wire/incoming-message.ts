import { type MessageId, Sections, textOf, Typed, type WireFailure } from "@datawire/amqp";
import type { Incoming } from "../engine/ports.ts";
import type { MessageKeys } from "../log/record.ts";

/** The annotations by which a message is accepted once. */
const PRODUCER = "x-opt-datawire-producer";
const SEQUENCE = "x-opt-datawire-sequence";
/** A producer's name may be so long: it is remembered. */
const PRODUCER_LENGTH_MAX = 255;

/** What is wrong with a message; its sender is told. */
export interface Malformed {
  readonly malformed: string;
}

/** One for all: each message is done with before the next comes. */
const sections = new Sections();

/**
 * Reads of a message what the router has to know, which is little.
 * @param wantsId whether the address remembers ids.
 */
export function readIncoming(payload: Uint8Array, wantsId: boolean): Incoming | Malformed {
  if (!sections.scan(payload)) return { malformed: sections.why?.message ?? "Cannot read the message" };
  try {
    // Both are written anew later, when it is too late to say no.
    if (sections.startOf("deliveryAnnotations") !== -1) sections.deliveryAnnotations();
    const keys = readKeys(wantsId);
    const expiresAtMs = sections.absoluteExpiryMs();
    return { payload, ttlMs: Math.max(0, sections.ttl), keys, ...(expiresAtMs !== null && { expiresAtMs }) };
  } catch (error) {
    return { malformed: (error as WireFailure).message };
  }
}

/** The address that a message says it goes to; null where it says none. */
export function readTo(payload: Uint8Array): string | null | Malformed {
  if (!sections.scan(payload)) return { malformed: sections.why?.message ?? "Cannot read the message" };
  try {
    return sections.properties()?.to ?? null;
  } catch (error) {
    return { malformed: (error as WireFailure).message };
  }
}

function readKeys(wantsId: boolean): MessageKeys | null {
  const producer = sections.startOf("messageAnnotations") === -1 ? undefined : readProducer();
  const id = wantsId ? readId() : undefined;
  return producer === undefined && id === undefined ? null : { producer, id };
}

function readProducer(): MessageKeys["producer"] {
  const annotations = sections.messageAnnotations();
  const name = textOf(annotations?.get(PRODUCER));
  const written = annotations?.get(SEQUENCE);
  const value = written instanceof Typed ? written.value : written;
  if (name === null || name.length > PRODUCER_LENGTH_MAX) return undefined;
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const sequence = Number(value);
  return Number.isSafeInteger(sequence) && sequence >= 0 ? { name, sequence } : undefined;
}

function readId(): string | undefined {
  const id = sections.properties()?.messageId;
  return id === undefined ? undefined : keyOf(id);
}

/** Ids of different types are different. */
function keyOf(id: MessageId): string {
  if (typeof id === "string") return `s:${id}`;
  if (id instanceof Uint8Array) return `b:${Buffer.from(id).toString("base64")}`;
  const { type, value } = id;
  return `${type}:${value instanceof Uint8Array ? Buffer.from(value).toString("base64") : textOfNumber(value)}`;
}

const textOfNumber = (value: unknown): string =>
  typeof value === "bigint" || typeof value === "number" ? String(value) : "";
