import {
  decodeMessage,
  encodeMessage,
  type Fields,
  type Message as WireMessage,
  type MessageId,
  messageIdText,
  type Properties,
  textOf,
  Typed,
  WireFailure,
} from "@datawire/amqp";
import { type Body, readBody, readFields, writeBody, writeFields } from "./body.ts";
import { MicroserverError } from "./microserver-error.ts";

/** A message that came. */
export interface Message {
  /** Where it was listened for. */
  readonly address: string;
  /** What its sender called it; null where that gave no name. */
  readonly id: string | null;
  readonly subject: string | null;
  readonly body: Body;
  /** Application properties. */
  readonly properties: Readonly<Record<string, Body>>;
  /** Of the message, and of its delivery. */
  readonly annotations: Readonly<Record<string, Body>>;
  /** Where an answer goes; null where none is wanted. */
  readonly replyTo: string | null;
  readonly correlationId: string | null;
  /** Deliveries that failed before this one. */
  readonly deliveryCount: number;
  /** Its place in a topic; null elsewhere. */
  readonly offset: number | null;
  /** When it was made; null where its sender did not say so. */
  readonly at: Date | null;
}

/** What a sender gives: the body, and what else of a message is its to give. */
export interface Outgoing extends SendFields {
  /** Of a pipeline's: to which of its addresses; default all of them. */
  readonly address?: string;
  readonly body: Body;
}

/** What a sender may say beside the body. */
export interface SendFields {
  readonly id?: string;
  readonly subject?: string;
  readonly properties?: Readonly<Record<string, Body>>;
  /** Their keys begin with `x-opt-`. */
  readonly annotations?: Readonly<Record<string, Body>>;
  readonly replyTo?: string;
  readonly correlationId?: string;
  /** Milliseconds after which the router does not deliver it any more; default never. */
  readonly ttlMs?: number;
}

/** By which producer and which number the router accepts a message once (promise 7). */
export interface Identity {
  readonly producer: string;
  readonly sequence: number;
}

const PRODUCER = "x-opt-datawire-producer";
const SEQUENCE = "x-opt-datawire-sequence";
const OFFSET = "x-opt-datawire-offset";
/** Says that all longs of the body are bigints. */
const BIGINTS = "x-opt-datawire-bigints";

/** A message but for what makes it one of a producer's, as bytes: taken down when it is sent, so that later changes of the body do not matter. */
export interface Draft {
  readonly header: NonNullable<WireMessage["header"]>;
  readonly annotations: Fields;
  /** All sections after the annotations. */
  readonly rest: Uint8Array;
}

/** What is to be sent says beside its body: of an answer, an id as whoever asked has it. */
export interface DraftFields extends Omit<SendFields, "correlationId"> {
  readonly correlationId?: MessageId;
}

/**
 * Takes down what is to be sent.
 * @throws MicroserverError `invalid_argument` for values that AMQP has no type for.
 */
export function draft(to: string, body: Body, fields: DraftFields, nowMs: number): Draft {
  const { ttlMs, properties, annotations } = fields;
  if (ttlMs !== undefined && !(Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= 0xffff_ffff)) {
    throw new MicroserverError("invalid_argument", `Cannot use ${ttlMs} as ttlMs: wanted 1 to 4294967295`);
  }
  const written = writeBody(body);
  try {
    return {
      header: ttlMs === undefined ? DURABLE : { ...DURABLE, ttl: ttlMs },
      annotations: annotationsOf(annotations, written.hasBigints),
      rest: encodeMessage({
        properties: propertiesOf(to, fields, nowMs),
        ...(properties !== undefined && { applicationProperties: writeFields(properties) }),
        body: written.body,
      }),
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new MicroserverError("invalid_argument", error.message, { cause: error });
  }
}

function propertiesOf(to: string, { id, subject, replyTo, correlationId }: DraftFields, nowMs: number): Properties {
  const properties: { -readonly [K in keyof Properties]: Properties[K] } = { to, creationTime: new Date(nowMs) };
  if (id !== undefined) properties.messageId = id;
  if (subject !== undefined) properties.subject = subject;
  if (replyTo !== undefined) properties.replyTo = replyTo;
  if (correlationId !== undefined) properties.correlationId = correlationId;
  return properties;
}

function annotationsOf(given: SendFields["annotations"], hasBigints: boolean): Fields {
  if (given === undefined && !hasBigints) return NO_FIELDS;
  return writeFields(hasBigints ? { ...given, [BIGINTS]: true } : { ...given });
}

const DURABLE = { durable: true } as const;
const NO_FIELDS: Fields = new Map();

/** The head of messages of the last producer that have nothing else in it, which differ in their numbers alone. */
let plain: { readonly producer: string; readonly bytes: Uint8Array } = { producer: "", bytes: new Uint8Array(0) };
/** Above all numbers that a process gets to, so that the bytes of a number are the last eight, in the long form. */
const NUMBER_MAX = 2n ** 64n - 1n;

/**
 * The sections before a draft's rest, with which it is a message of a producer. The next call writes over them.
 * @param deliveryAnnotations annotations.
 */
export function headOf(draft: Draft, { producer, sequence }: Identity, deliveryAnnotations?: Fields): Uint8Array {
  const isPlain = draft.annotations.size === 0 && draft.header === DURABLE && deliveryAnnotations === undefined;
  if (!isPlain) return encodeHeadOf(draft, producer, BigInt(sequence), deliveryAnnotations);
  if (plain.producer !== producer) plain = { producer, bytes: encodeHeadOf(draft, producer, NUMBER_MAX) };
  const { bytes } = plain;
  const high = Math.floor(sequence / 2 ** 32);
  for (let i = 0; i < 4; i++) {
    bytes[bytes.length - 1 - i] = sequence >>> (8 * i);
    bytes[bytes.length - 5 - i] = high >>> (8 * i);
  }
  return bytes;
}

function encodeHeadOf(
  { header, annotations }: Draft,
  producer: string,
  sequence: bigint,
  deliveryAnnotations?: Fields,
): Uint8Array {
  const messageAnnotations = new Map(annotations).set(PRODUCER, producer).set(SEQUENCE, new Typed("ulong", sequence));
  return encodeMessage({
    header,
    ...(deliveryAnnotations !== undefined && { deliveryAnnotations }),
    messageAnnotations,
  });
}

/** A message that came, and which it is for its producer; or why its bytes are none. None of the bytes are kept. */
export function readMessage(
  bytes: Uint8Array,
  address: string,
): { readonly message: Message; readonly identity: Identity | null } | WireFailure {
  const wire = decodeMessage(bytes);
  if (wire instanceof WireFailure) return wire;
  const { header, properties, messageAnnotations, deliveryAnnotations, applicationProperties } = wire;
  const typed = messageAnnotations?.get(BIGINTS) === true ? decodeMessage(bytes, { typed: true }) : wire;
  if (typed instanceof WireFailure) return typed;
  const offset = numberOf(deliveryAnnotations?.get(OFFSET));
  const message: Message = {
    address,
    id: textOfId(properties?.messageId),
    subject: properties?.subject ?? null,
    body: readBody(typed.body),
    properties: readFields(applicationProperties),
    annotations: readFields(messageAnnotations, deliveryAnnotations),
    replyTo: properties?.replyTo ?? null,
    correlationId: textOfId(properties?.correlationId),
    deliveryCount: header?.deliveryCount ?? 0,
    offset,
    at: properties?.creationTime ?? null,
  };
  const asked = properties?.correlationId ?? properties?.messageId;
  if (asked !== undefined && typeof asked !== "string") typedIds.set(message, copyOf(asked));
  return { message, identity: readIdentity(messageAnnotations) };
}

/** By which producer and number a message is known, from its annotations; null without. */
export function readIdentity(annotations: Fields | undefined): Identity | null {
  const producer = textOf(annotations?.get(PRODUCER));
  const sequence = numberOf(annotations?.get(SEQUENCE));
  return producer === null || sequence === null ? null : { producer, sequence };
}

function numberOf(value: unknown): number | null {
  const inner = value instanceof Typed ? value.value : value;
  return typeof inner === "number" || typeof inner === "bigint" ? Number(inner) : null;
}

/** What an answer to a message says it is to, in the type of whoever asked; null where that gave it no name. */
export function answeredId(message: Message): MessageId | null {
  return typedIds.get(message) ?? message.correlationId ?? message.id;
}

/** Ids that are no texts, by their messages. */
const typedIds = new WeakMap<Message, MessageId>();

const textOfId = (id: MessageId | undefined): string | null => (id === undefined ? null : messageIdText(id));

/** What is read lies in a buffer that is used again. */
function copyOf(id: MessageId): MessageId {
  if (id instanceof Uint8Array) return id.slice();
  if (id instanceof Typed && id.value instanceof Uint8Array) return new Typed(id.type, id.value.slice());
  return id;
}
