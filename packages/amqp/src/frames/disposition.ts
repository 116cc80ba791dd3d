import { CODE } from "../types/codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { ABSENT, type Reader } from "../types/reader.ts";
import { ACCEPTED, type DeliveryState, readDeliveryState, writeDeliveryState } from "./delivery-state.ts";
import { DESCRIPTOR } from "./descriptors.ts";
import type { FrameWriter } from "./frame-writer.ts";

/** The news of a range of deliveries; one object serves for all that are read. */
export class Disposition {
  /** That of whoever sends this: true for a receiver. */
  role = false;
  first = 0;
  last = 0;
  settled = false;
  state: DeliveryState | null = null;

  /** Reads what follows the descriptor. Throws `WireFailure`. */
  read(reader: Reader): void {
    reader.list();
    const { listEnd, fields } = reader;
    const role = fields > 0 ? reader.booleanOr(null) : null;
    const first = fields > 1 ? reader.uintOr(ABSENT) : ABSENT;
    if (role === null || first === ABSENT) {
      throw new WireFailure(CONDITION.invalidField, "Cannot read a disposition: it has no role or no first");
    }
    this.role = role;
    this.first = first;
    this.last = fields > 2 ? reader.uintOr(first) : first;
    this.settled = fields > 3 ? reader.booleanOr(false) : false;
    this.state = fields > 4 ? readDeliveryState(reader) : null;
    if (fields > 5) reader.booleanOr(false);
    if (fields > 6) throw decodeFailure(`Cannot read a disposition of ${fields} fields`);
    reader.endList(listEnd, 0);
  }
}

/** Writes a disposition of the deliveries `first` to `last`. */
export function writeDisposition(
  writer: FrameWriter,
  role: boolean,
  first: number,
  last: number,
  settled: boolean,
  state: DeliveryState | null,
): void {
  writer.descriptor(DESCRIPTOR.disposition);
  const short = state === null || state === ACCEPTED;
  let at: number;
  if (short) {
    writer.byte(CODE.list8);
    at = writer.length;
    writer.uint16(0);
  } else at = writer.begin32(CODE.list32);
  writer.boolean(role);
  writer.uint(first);
  if (last === first) writer.null();
  else writer.uint(last);
  writer.boolean(settled);
  if (state !== null) writeDeliveryState(writer, state);
  const count = state === null ? 4 : 5;
  if (short) {
    writer.bytes[at] = writer.length - at - 1;
    writer.bytes[at + 1] = count;
  } else writer.end32(at, count);
}
