import {
  CONDITION,
  Described,
  type Fields,
  type MessageId,
  Sections,
  textOf,
  Typed,
  type Value as AmqpValue,
} from "@datawire/amqp";
import { Refused } from "../engine/refused.ts";
import type { MessageRecord } from "../log/record.ts";
import type { Value } from "../selector/expression.ts";
import { parseSelector, type Selector } from "../selector/selector.ts";
import { SelectorError } from "../selector/tokens.ts";

/** The descriptors of a selector, by name and by number (Apache's registry). */
const SELECTOR = "apache.org:selector-filter:string";
const SELECTOR_CODE = 0x0000_468c_0000_0004n;

/** What a consumer asked for, and what of it holds. */
export interface Filter {
  /** What is said to be in force; null where nothing is. */
  readonly inForce: Fields | null;
  /** The selector of it; null for none. */
  readonly selector: string | null;
  readonly takes: ((record: MessageRecord) => boolean) | null;
}

/**
 * Reads the filters of a source. Those that are not known are left out of what is in force, as the specification has it.
 * @throws Refused for a selector that cannot be read.
 */
export function readFilter(filters: Fields | undefined): Filter {
  for (const [name, value] of filters ?? []) {
    if (!(value instanceof Described) || !isSelector(value.descriptor)) continue;
    const text = textOf(value.value);
    if (text === null) throw new Refused(CONDITION.invalidField, "Cannot use the selector: it is no text");
    return { inForce: new Map([[name, value]]), selector: text, takes: matching(read(text)) };
  }
  return { inForce: null, selector: null, takes: null };
}

/** The filters of a source that has a selector. */
export const selecting = (selector: string): Fields =>
  new Map([["selector", new Described(new Typed("symbol", SELECTOR), selector)]]);

function read(text: string): Selector {
  try {
    return parseSelector(text);
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new Refused(
      CONDITION.invalidField,
      `Cannot use the selector ${JSON.stringify(text.slice(0, 120))}: ${error.message}`,
    );
  }
}

function isSelector(descriptor: AmqpValue): boolean {
  if (textOf(descriptor) === SELECTOR) return true;
  const value = descriptor instanceof Typed ? descriptor.value : descriptor;
  return (typeof value === "bigint" || typeof value === "number") && BigInt(value) === SELECTOR_CODE;
}

const sections = new Sections();

function matching(selector: Selector): (record: MessageRecord) => boolean {
  return ({ payload }) => {
    if (!sections.scan(payload)) return false;
    try {
      return selector(lookup());
    } catch {
      // Properties that cannot be read are none.
      return false;
    }
  };
}

/** The properties of the message at hand; each section is read once, when something of it is asked for. */
function lookup(): (name: string) => Value {
  let application: Fields | null | undefined;
  let properties: ReturnType<Sections["properties"]> | undefined;
  return (name) => {
    if (name.startsWith("JMS")) {
      properties ??= sections.properties();
      const value = header(name, properties);
      if (value !== undefined) return value;
    }
    application ??= sections.applicationProperties({ typed: true });
    return plain(application?.get(name));
  };
}

/** A header of JMS; undefined for what is none, as `JMS_` and the name of a vendor begin properties. */
function header(name: string, properties: ReturnType<Sections["properties"]>): Value | undefined {
  switch (name) {
    case "JMSPriority":
      return sections.priority < 0 ? 4n : BigInt(sections.priority);
    case "JMSDeliveryMode":
      return sections.durable ? "PERSISTENT" : "NON_PERSISTENT";
    case "JMSMessageID":
      return idOf(properties?.messageId);
    case "JMSCorrelationID":
      return idOf(properties?.correlationId);
    case "JMSType":
      return properties?.subject ?? null;
    case "JMSDestination":
      return properties?.to ?? null;
    case "JMSReplyTo":
      return properties?.replyTo ?? null;
    case "JMSXGroupID":
      return properties?.groupId ?? null;
    case "JMSXGroupSeq":
      return exact(properties?.groupSequence);
    case "JMSXUserID":
      return properties?.userId === undefined ? null : Buffer.from(properties.userId).toString();
    case "JMSXDeliveryCount":
      return BigInt(sections.deliveryCount + 1);
    case "JMSTimestamp":
      return exact(properties?.creationTime?.getTime());
    default:
      return undefined;
  }
}

const exact = (value: number | undefined): bigint | null => (Number.isInteger(value) ? BigInt(value ?? 0) : null);

const idOf = (id: MessageId | undefined): Value =>
  typeof id === "string" ? id : id instanceof Typed ? plain(id) : null;

/** Whole types are exact, and those with a point approximate; what a selector has no literal of is unknown. */
function plain(value: AmqpValue | undefined): Value {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (!(value instanceof Typed)) return null;
  const { type, value: inner } = value;
  switch (typeof inner) {
    case "string":
    case "bigint":
      return inner;
    case "number":
      return type === "float" || type === "double" ? inner : BigInt(inner);
    default:
      return null;
  }
}
