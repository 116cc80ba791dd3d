import { DESCRIPTOR, DESCRIPTOR_BY_SYMBOL } from "../frames/descriptors.ts";
import { type Fields, readFields } from "../frames/fields.ts";
import { decodeFailure, WireFailure } from "../types/conditions.ts";
import type { DecodeOptions } from "../types/decode-value.ts";
import { plainBytes } from "../types/plain-bytes.ts";
import { ABSENT, Reader } from "../types/reader.ts";
import { skipMap } from "../types/skip-map.ts";
import { skipValue } from "../types/skip-value.ts";
import { type Properties, readProperties } from "./properties.ts";

const NOTHING = new Uint8Array(0);

/**
 * Where the sections of a message are in its bytes. Only the header is read; all else is read when it is asked for, and
 * most of what passes a router never is. One object serves for many messages, one after the other.
 */
export class Sections {
  bytes: Uint8Array = NOTHING;
  durable = false;
  /** `ABSENT` (-1) without one, which means 4. */
  priority = ABSENT;
  /** Milliseconds; `ABSENT` (-1) without one. */
  ttl = ABSENT;
  firstAcquirer = false;
  deliveryCount = 0;
  /** Where the bytes begin that are passed on as they are: after the header and the delivery annotations. */
  passedOn = 0;
  /** Where the body begins: what comes before can be changed without a look at it. */
  body = 0;
  /** How many sections the body has; 0 without one. */
  bodySections = 0;
  /** How many properties there are, those that are null among them. */
  propertyCount = 0;
  readonly #reader = new Reader(NOTHING);
  #starts = new Int32Array(SLOTS);

  /**
   * Looks for the sections of a message. False where it is none: sections out of order, or bytes that are no sections.
   * `why` has the reason then.
   */
  scan(bytes: Uint8Array): boolean {
    this.bytes = bytes;
    this.durable = false;
    this.priority = ABSENT;
    this.ttl = ABSENT;
    this.firstAcquirer = false;
    this.deliveryCount = 0;
    this.passedOn = 0;
    this.body = bytes.length;
    this.bodySections = 0;
    this.propertyCount = 0;
    this.why = null;
    this.#starts.fill(ABSENT);
    try {
      this.#scan(this.#reader.reset(bytes, 0, bytes.length));
      return true;
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      this.why = error;
      return false;
    }
  }

  /** Why the last scan found no message. */
  why: WireFailure | null = null;

  /** The delivery annotations; null without, as with all of these. Throws `WireFailure` where they are none. */
  deliveryAnnotations(): Fields | null {
    return this.#fields(DESCRIPTOR.deliveryAnnotations);
  }

  messageAnnotations(): Fields | null {
    return this.#fields(DESCRIPTOR.messageAnnotations);
  }

  /** With `typed`, numbers are `Typed`: 7 of an int is another one than 7 of a double. */
  applicationProperties({ typed = false }: DecodeOptions = {}): Fields | null {
    return this.#fields(DESCRIPTOR.applicationProperties, typed);
  }

  properties(): Properties | null {
    const reader = this.#at(DESCRIPTOR.properties);
    return reader === null ? null : readProperties(reader);
  }

  /** When the message ends by its properties, milliseconds since 1970; null where they do not say. Throws `WireFailure` where that is no time. */
  absoluteExpiryMs(): number | null {
    // Hardly any message has it, and it is the ninth property.
    return this.propertyCount < 9 ? null : (this.properties()?.absoluteExpiryTime?.getTime() ?? null);
  }

  /** Where a section begins, with its descriptor; `ABSENT` (-1) without it. The first of several data sections. */
  startOf(section: keyof typeof DESCRIPTOR): number {
    return this.#starts[DESCRIPTOR[section] - DESCRIPTOR.header] ?? ABSENT;
  }

  /** Where a section ends; `ABSENT` (-1) without it. Not of a body in several sections. */
  endOf(section: keyof typeof DESCRIPTOR): number {
    const reader = this.#at(DESCRIPTOR[section]);
    if (reader === null) return ABSENT;
    skipValue(reader);
    return reader.at;
  }

  #fields(code: number, typed = false): Fields | null {
    const reader = this.#at(code);
    return reader === null ? null : readFields(reader, typed);
  }

  #at(code: number): Reader | null {
    const start = this.#starts[code - DESCRIPTOR.header] ?? ABSENT;
    if (start === ABSENT) return null;
    const reader = new Reader(plainBytes(this.bytes), start);
    reader.descriptor(DESCRIPTOR_BY_SYMBOL);
    return reader;
  }

  #scan(reader: Reader): void {
    let last: number = DESCRIPTOR.header - 1;
    while (reader.at < reader.end) {
      const start = reader.at;
      const code = reader.descriptor(DESCRIPTOR_BY_SYMBOL);
      if (code < DESCRIPTOR.header || code > DESCRIPTOR.footer)
        throw decodeFailure("Cannot read a message: a section is unknown");
      // Only sections of data and of sequences may come more than once, and none beside those of another kind.
      const again = code === last && (code === DESCRIPTOR.data || code === DESCRIPTOR.amqpSequence);
      const mixed = code > DESCRIPTOR.data && code < DESCRIPTOR.footer && last >= DESCRIPTOR.data;
      if (!again && (code <= last || mixed))
        throw decodeFailure("Cannot read a message: its sections are out of order");
      if (!again) this.#starts[code - DESCRIPTOR.header] = start;
      last = code;
      if (code >= DESCRIPTOR.data && code < DESCRIPTOR.footer) this.bodySections++;
      if (code === DESCRIPTOR.header) this.#readHeader(reader);
      else skipSection(code, reader);
      if (code === DESCRIPTOR.properties) this.propertyCount = reader.fields;
      if (code <= DESCRIPTOR.deliveryAnnotations) this.passedOn = reader.at;
      else if (code >= DESCRIPTOR.data && this.body > start) this.body = start;
    }
  }

  #readHeader(reader: Reader): void {
    reader.list();
    const { listEnd, fields } = reader;
    if (fields > 0) this.durable = reader.booleanOr(false);
    if (fields > 1) this.priority = reader.ubyteOr(ABSENT);
    if (fields > 2) this.ttl = reader.uintOr(ABSENT);
    if (fields > 3) this.firstAcquirer = reader.booleanOr(false);
    if (fields > 4) this.deliveryCount = reader.uintOr(0);
    reader.endList(listEnd, Math.max(0, fields - 5));
  }
}

/** Goes beyond the value of a section, which has to be of its type. */
function skipSection(code: number, reader: Reader): void {
  switch (code) {
    case DESCRIPTOR.deliveryAnnotations:
    case DESCRIPTOR.messageAnnotations:
    case DESCRIPTOR.applicationProperties:
    case DESCRIPTOR.footer:
      return skipMap(reader);
    case DESCRIPTOR.properties:
    case DESCRIPTOR.amqpSequence:
      reader.list();
      reader.at = reader.listEnd;
      return;
    case DESCRIPTOR.data:
      reader.binarySize();
      return;
    default:
      skipValue(reader);
  }
}

const SLOTS = DESCRIPTOR.footer - DESCRIPTOR.header + 1;
