import { Writer } from "../types/writer.ts";
import { FRAME_TYPE } from "./splitter.ts";

const NOTHING = new Uint8Array(0);
const CAPACITY_MIN = 512;
const CAPACITY_MAX = 1 << 20;

/** Frames under construction, of one connection: everything that goes out with its next write. */
export class FrameWriter extends Writer {
  #expected = CAPACITY_MIN;

  constructor() {
    super(0);
    this.bytes = NOTHING;
  }

  /** Begins a frame and returns where; `end` fills in its size. */
  begin(channel: number, type: number = FRAME_TYPE.amqp): number {
    this.reserve(this.length === 0 ? this.#expected : 8);
    const { bytes, length } = this;
    bytes[length] = 0;
    bytes[length + 1] = 0;
    bytes[length + 2] = 0;
    bytes[length + 3] = 0;
    bytes[length + 4] = 2;
    bytes[length + 5] = type;
    bytes[length + 6] = channel >>> 8;
    bytes[length + 7] = channel;
    this.length = length + 8;
    return length;
  }

  end(start: number): void {
    this.setUint32(start, this.length - start);
  }

  /** Hands over all that was written, and begins anew with as much room as this took. */
  override take(): Uint8Array {
    const taken = super.take();
    this.bytes = NOTHING;
    this.length = 0;
    let expected = CAPACITY_MIN;
    while (expected < taken.length && expected < CAPACITY_MAX) expected *= 2;
    this.#expected = expected;
    return taken;
  }
}
