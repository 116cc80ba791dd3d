import { CODE } from "./codes.ts";
import { encodeUtf8 } from "./text.ts";

const CAPACITY_MIN = 64;
/** Up to here characters one by one are faster than the call of an encoder. */
const SHORT_MAX = 64;
const FLOAT = new DataView(new ArrayBuffer(8));

/** Bytes under construction, which grow as they are written. All numbers go out with the highest byte first. */
export class Writer {
  /** Valid up to `length`; another object after each growth. */
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = CAPACITY_MIN) {
    this.bytes = new Uint8Array(Math.max(capacity, CAPACITY_MIN));
  }

  /** Makes room for `count` bytes, so that they may be written to `bytes` directly. */
  reserve(count: number): void {
    const wanted = this.length + count;
    if (wanted <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  uint16(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.setUint32(this.length, value);
    this.length += 4;
  }

  /** Writes over four bytes that are there or reserved. */
  setUint32(at: number, value: number): void {
    const bytes = this.bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  uint64(value: bigint): void {
    const low = BigInt.asUintN(64, value);
    this.uint32(Number(low >> 32n));
    this.uint32(Number(low & 0xffff_ffffn));
  }

  float32(value: number): void {
    FLOAT.setFloat32(0, value);
    this.uint32(FLOAT.getUint32(0));
  }

  float64(value: number): void {
    FLOAT.setFloat64(0, value);
    this.uint32(FLOAT.getUint32(0));
    this.uint32(FLOAT.getUint32(4));
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  null(): void {
    this.byte(CODE.null);
  }

  boolean(value: boolean): void {
    this.byte(value ? CODE.true : CODE.false);
  }

  ubyte(value: number): void {
    this.byte(CODE.ubyte);
    this.byte(value);
  }

  ushort(value: number): void {
    this.byte(CODE.ushort);
    this.uint16(value);
  }

  uint(value: number): void {
    if (value === 0) return this.byte(CODE.uint0);
    if (value < 0x100) {
      this.byte(CODE.smallUint);
      return this.byte(value);
    }
    this.byte(CODE.uint);
    this.uint32(value);
  }

  ulong(value: bigint): void {
    if (value === 0n) return this.byte(CODE.ulong0);
    if (value > 0n && value < 0x100n) {
      this.byte(CODE.smallUlong);
      return this.byte(Number(value));
    }
    this.byte(CODE.ulong);
    this.uint64(value);
  }

  string(value: string): void {
    if (this.#short(CODE.string8, value)) return;
    this.variable(CODE.string8, CODE.string32, encodeUtf8(value));
  }

  symbol(value: string): void {
    if (this.#short(CODE.symbol8, value)) return;
    this.variable(CODE.symbol8, CODE.symbol32, encodeUtf8(value));
  }

  binary(value: Uint8Array): void {
    this.variable(CODE.binary8, CODE.binary32, value);
  }

  /** @param atMs milliseconds since 1970. Throws `TypeError` for what is no whole number. */
  timestamp(atMs: number): void {
    if (!Number.isSafeInteger(atMs)) throw new TypeError(`Cannot write ${atMs} as timestamp: wanted a whole number`);
    this.byte(CODE.timestamp);
    this.uint32(Math.floor(atMs / 0x1_0000_0000));
    this.uint32(atMs);
  }

  /** The descriptor of a type of the specification itself, all of which have numbers below 256. */
  descriptor(code: number): void {
    this.reserve(3);
    this.bytes[this.length++] = CODE.described;
    this.bytes[this.length++] = CODE.smallUlong;
    this.bytes[this.length++] = code;
  }

  /** Begins a list or a map with four bytes each for size and count; `end32` fills them in. */
  begin32(code: number): number {
    this.byte(code);
    const at = this.length;
    this.uint32(0);
    this.uint32(0);
    return at;
  }

  end32(at: number, count: number): void {
    this.setUint32(at, this.length - at - 4);
    this.setUint32(at + 4, count);
  }

  /** What was written, without a copy: the writer is not to be used afterwards. */
  take(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Writes a short text of ASCII; false where it is none, with nothing written. */
  #short(code: number, text: string): boolean {
    const { length } = text;
    if (length > SHORT_MAX) return false;
    this.reserve(length + 2);
    const { bytes, length: start } = this;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[start + 2 + i] = unit;
    }
    bytes[start] = code;
    bytes[start + 1] = length;
    this.length = start + 2 + length;
    return true;
  }

  private variable(short: number, long: number, value: Uint8Array): void {
    if (value.length < 0x100) {
      this.byte(short);
      this.byte(value.length);
    } else {
      this.byte(long);
      this.uint32(value.length);
    }
    this.raw(value);
  }
}
