import { CODE } from "../types/codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { DESCRIPTOR } from "./descriptors.ts";
import { type Fields, fieldsMap } from "./fields.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** The state of a session, and of a link where there is a handle; one object serves for all. Absent numbers: `ABSENT`. */
export class Flow {
  nextIncomingId = ABSENT;
  incomingWindow = 0;
  nextOutgoingId = 0;
  outgoingWindow = 0;
  handle = ABSENT;
  deliveryCount = ABSENT;
  linkCredit = ABSENT;
  available = ABSENT;
  drain = false;
  echo = false;
  /** What else is said of the link; null for nothing. */
  properties: Fields | null = null;

  /** Reads what follows the descriptor. Throws `WireFailure`. */
  read(reader: Reader): void {
    reader.list();
    const { listEnd, fields } = reader;
    if (fields > 11) throw decodeFailure(`Cannot read a flow of ${fields} fields`);
    this.nextIncomingId = fields > 0 ? reader.uintOr(ABSENT) : ABSENT;
    this.incomingWindow = fields > 1 ? reader.uintOr(ABSENT) : ABSENT;
    this.nextOutgoingId = fields > 2 ? reader.uintOr(ABSENT) : ABSENT;
    this.outgoingWindow = fields > 3 ? reader.uintOr(ABSENT) : ABSENT;
    if (this.incomingWindow === ABSENT || this.nextOutgoingId === ABSENT || this.outgoingWindow === ABSENT) {
      throw new WireFailure(CONDITION.invalidField, "Cannot read a flow: it lacks a window or the next outgoing id");
    }
    this.handle = fields > 4 ? reader.uintOr(ABSENT) : ABSENT;
    this.deliveryCount = fields > 5 ? reader.uintOr(ABSENT) : ABSENT;
    this.linkCredit = fields > 6 ? reader.uintOr(ABSENT) : ABSENT;
    this.available = fields > 7 ? reader.uintOr(ABSENT) : ABSENT;
    this.drain = fields > 8 ? reader.booleanOr(false) : false;
    this.echo = fields > 9 ? reader.booleanOr(false) : false;
    this.properties = fields > 10 ? (fieldsMap.read(reader) ?? null) : null;
    reader.endList(listEnd, 0);
  }

  /** Writes the flow with its descriptor. */
  write(writer: FrameWriter): void {
    writer.descriptor(DESCRIPTOR.flow);
    if (this.properties !== null) {
      const at = writer.begin32(CODE.list32);
      const count = this.#writeFields(writer);
      fieldsMap.write(writer, this.properties);
      return writer.end32(at, count + 1);
    }
    writer.byte(CODE.list8);
    const at = writer.length;
    writer.uint16(0);
    const count = this.#writeFields(writer);
    writer.bytes[at] = writer.length - at - 1;
    writer.bytes[at + 1] = count;
  }

  /** All but the properties, which are of a link. @returns how many. */
  #writeFields(writer: FrameWriter): number {
    writeOptional(writer, this.nextIncomingId);
    writer.uint(this.incomingWindow);
    writer.uint(this.nextOutgoingId);
    writer.uint(this.outgoingWindow);
    if (this.handle === ABSENT) return 4;
    writer.uint(this.handle);
    writeOptional(writer, this.deliveryCount);
    writeOptional(writer, this.linkCredit);
    writeOptional(writer, this.available);
    writer.boolean(this.drain);
    writer.boolean(this.echo);
    return 10;
  }
}

function writeOptional(writer: FrameWriter, value: number): void {
  if (value === ABSENT) writer.null();
  else writer.uint(value);
}
