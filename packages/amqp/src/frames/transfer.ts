import { CODE } from "../types/codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { type DeliveryState, readDeliveryState, writeDeliveryState } from "./delivery-state.ts";
import { DESCRIPTOR } from "./descriptors.ts";
import { Writer } from "../types/writer.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** A delivery tag has at most so many bytes. */
const TAG_BYTES_MAX = 32;

/** One frame of a transfer; one object serves for all that are read. Numbers that are not there are `ABSENT`. */
export class Transfer {
  handle = 0;
  deliveryId = ABSENT;
  /** Where the delivery tag is in the bytes; the start is `ABSENT` without one. */
  tagStart = ABSENT;
  tagEnd = 0;
  messageFormat = ABSENT;
  /** Null: as the frames before it said, at last false. */
  settled: boolean | null = null;
  more = false;
  rcvSettleMode = ABSENT;
  state: DeliveryState | null = null;
  resume = false;
  aborted = false;

  /** Reads what follows the descriptor; the payload is what follows that. Throws `WireFailure`. */
  read(reader: Reader): void {
    this.deliveryId = ABSENT;
    this.tagStart = ABSENT;
    this.messageFormat = ABSENT;
    this.settled = null;
    this.more = false;
    this.rcvSettleMode = ABSENT;
    this.state = null;
    this.resume = false;
    this.aborted = false;
    reader.list();
    const { listEnd, fields } = reader;
    this.handle = fields > 0 ? reader.uintOr(ABSENT) : ABSENT;
    if (this.handle === ABSENT)
      throw new WireFailure(CONDITION.invalidField, "Cannot read a transfer: it has no handle");
    if (fields > 1) this.deliveryId = reader.uintOr(ABSENT);
    if (fields > 2) this.#readTag(reader);
    if (fields > 3) this.messageFormat = reader.uintOr(ABSENT);
    if (fields > 4) this.settled = reader.booleanOr(null);
    if (fields > 5) this.more = reader.booleanOr(false);
    if (fields > 6) this.rcvSettleMode = reader.ubyteOr(ABSENT);
    if (fields > 7) this.state = readDeliveryState(reader);
    if (fields > 8) this.resume = reader.booleanOr(false);
    if (fields > 9) this.aborted = reader.booleanOr(false);
    if (fields > 10) reader.booleanOr(false);
    if (fields > 11) throw decodeFailure(`Cannot read a transfer of ${fields} fields`);
    reader.endList(listEnd, 0);
  }

  #readTag(reader: Reader): void {
    const size = reader.binarySize();
    if (size === ABSENT) return;
    if (size > TAG_BYTES_MAX) {
      throw new WireFailure(
        CONDITION.invalidField,
        `Cannot read a delivery tag of ${size} bytes, wanted at most ${TAG_BYTES_MAX}`,
      );
    }
    this.tagStart = reader.at - size;
    this.tagEnd = reader.at;
  }
}

/** Bytes, or a number that stands for four of them (eight from 2^32), which costs no memory. */
export type DeliveryTag = Uint8Array | number;

/** The bytes of a delivery tag. */
export function tagBytes(tag: DeliveryTag): Uint8Array {
  if (typeof tag !== "number") return tag;
  const writer = new Writer();
  writeTagNumber(writer, tag);
  return writer.take().subarray(2);
}

function writeTagNumber(writer: Writer, tag: number): void {
  const isLong = tag > 0xffff_ffff;
  writer.byte(CODE.binary8);
  writer.byte(isLong ? 8 : 4);
  if (isLong) writer.uint32(Math.floor(tag / 0x1_0000_0000));
  writer.uint32(tag);
}

function writeTag(writer: Writer, tag: DeliveryTag | null): void {
  if (tag === null) writer.null();
  else if (typeof tag === "number") writeTagNumber(writer, tag);
  else writer.binary(tag);
}

/** What goes into a transfer beside its payload. */
export interface TransferFields {
  readonly handle: number;
  /** `ABSENT` on all frames of a delivery but the first, as are tag (null) and format. */
  readonly deliveryId: number;
  readonly tag: DeliveryTag | null;
  readonly messageFormat: number;
  readonly settled: boolean;
  readonly state: DeliveryState | null;
  readonly resume: boolean;
}

/** More bytes than a transfer frame of ours ever takes without its payload and its state. */
export const TRANSFER_BYTES_MAX = 80;

/**
 * Writes a transfer up to where its payload begins, and returns where its flag `more` stands, which is written as false.
 * Only a delivery state makes the list longer than 255 bytes.
 */
export function writeTransfer(writer: FrameWriter, fields: TransferFields): number {
  writer.reserve(TRANSFER_BYTES_MAX);
  writer.descriptor(DESCRIPTOR.transfer);
  const { state, tag } = fields;
  let at: number;
  if (state === null) {
    writer.byte(CODE.list8);
    at = writer.length;
    writer.uint16(0);
  } else at = writer.begin32(CODE.list32);
  writer.uint(fields.handle);
  if (fields.deliveryId === ABSENT) writer.null();
  else writer.uint(fields.deliveryId);
  writeTag(writer, tag);
  if (fields.messageFormat === ABSENT) writer.null();
  else writer.uint(fields.messageFormat);
  writer.boolean(fields.settled);
  const more = writer.length;
  writer.boolean(false);
  if (state !== null || fields.resume) {
    writer.null();
    if (state === null) writer.null();
    else writeDeliveryState(writer, state);
    writer.boolean(fields.resume);
  }
  const count = state !== null || fields.resume ? 9 : 6;
  if (state !== null) writer.end32(at, count);
  else {
    writer.bytes[at] = writer.length - at - 1;
    writer.bytes[at + 1] = count;
  }
  return more;
}

/** Says that another frame of the delivery follows the one of which `writeTransfer` returned `more`. */
export function setMore(writer: FrameWriter, more: number): void {
  writer.bytes[more] = CODE.true;
}

/** Writes the transfer that gives up a delivery, of which frames may have been sent or not. */
export function writeAbort(writer: FrameWriter, handle: number, deliveryId: number, tag: DeliveryTag): void {
  writer.reserve(TRANSFER_BYTES_MAX);
  writer.descriptor(DESCRIPTOR.transfer);
  writer.byte(CODE.list8);
  const at = writer.length;
  writer.uint16(0);
  writer.uint(handle);
  writer.uint(deliveryId);
  writeTag(writer, tag);
  writer.null();
  writer.boolean(true);
  writer.boolean(false);
  for (let i = 0; i < 3; i++) writer.null();
  writer.boolean(true);
  writer.bytes[at] = writer.length - at - 1;
  writer.bytes[at + 1] = 10;
}
