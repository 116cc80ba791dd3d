import { type Fields, type Message, messageIdText, type OutgoingDelivery, Typed, type Value } from "@datawire/amqp";

/** A message as `dw listen --json` has it. */
export interface MessageView {
  readonly address: string;
  readonly id: string | null;
  readonly subject: string | null;
  readonly body: unknown;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deliveryCount: number;
  /** Its place in a topic; null elsewhere. */
  readonly offset: number | null;
  /** When it was made, where its sender says so; else when it came. RFC 3339. */
  readonly at: string;
}

/** What is to be seen of a message. */
export function messageView(message: Message, address: string, nowMs: number): MessageView {
  const { properties, header, deliveryAnnotations, applicationProperties } = message;
  const offset = deliveryAnnotations?.get("x-opt-datawire-offset");
  return {
    address,
    id: properties?.messageId === undefined ? null : messageIdText(properties.messageId),
    subject: properties?.subject ?? null,
    body: bodyOf(message),
    properties: fieldsOf(applicationProperties),
    deliveryCount: header?.deliveryCount ?? 0,
    offset: offset === undefined ? null : Number(plain(offset)),
    at: (properties?.creationTime ?? new Date(nowMs)).toISOString(),
  };
}

/** A body on one line. */
export function bodyText(body: unknown): string {
  return typeof body === "string" ? body : JSON.stringify(body);
}

function bodyOf({ body }: Message): unknown {
  switch (body?.type) {
    case "value":
      return plain(body.value);
    case "sequence":
      return body.parts.flat().map(plain);
    case "data":
      return bytesText(Buffer.concat(body.parts));
    case undefined:
      return null;
  }
}

function fieldsOf(fields: Fields | undefined): Record<string, unknown> {
  return Object.fromEntries([...(fields ?? [])].map(([key, value]) => [key, plain(value)]));
}

/** A value as JSON has it: what is larger than its numbers becomes text. */
function plain(value: Value): unknown {
  if (value instanceof Typed) return value.type === "uuid" ? messageIdText(value) : plain(value.value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return value.map((one) => plain(one as Value));
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, one]) => [bodyText(plain(key as Value)), plain(one as Value)]));
  if (typeof value === "object" && value !== null && "value" in value) return plain(value.value);
  return value;
}

/** Bytes as text where they are, else as base64. */
function bytesText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("base64");
  }
}

/** What became of a message that was sent. */
export interface SendOutcome {
  readonly state: "accepted" | "rejected" | "released";
  /** Why, where it was not accepted. */
  readonly reason: string | null;
}

/** What a router says of a message. */
export function outcomeOf({ state }: OutgoingDelivery): SendOutcome {
  switch (state?.type) {
    case "accepted":
      return { state: "accepted", reason: null };
    case "rejected":
      return { state: "rejected", reason: state.error?.description ?? state.error?.condition ?? null };
    default:
      return { state: "released", reason: null };
  }
}
