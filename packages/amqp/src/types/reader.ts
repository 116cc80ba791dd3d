import { CODE } from "./codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "./conditions.ts";
import { decodeAscii, decodeName, decodeUtf8 } from "./text.ts";

/** What `uintOr` and its like return for null, where the caller wants to tell it from every number. */
export const ABSENT = -1;

/**
 * A place in bytes from which values are read. Whatever is not there or not of the type that is wanted is a
 * `WireFailure`; nothing is read beyond `end`, and nothing allocated before the bytes for it are seen.
 */
export class Reader {
  bytes: Uint8Array;
  at: number;
  end: number;
  /** Of the list that was begun last: fields that have not been read. */
  fields = 0;
  /** Of the list that was begun last: its end. */
  listEnd = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Goes to another place, so that one reader serves for many frames. */
  reset(bytes: Uint8Array, at: number, end: number): this {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    return this;
  }

  need(count: number): void {
    if (count > this.end - this.at) {
      throw decodeFailure(`Cannot read ${count} bytes: there are ${this.end - this.at}`);
    }
  }

  byte(): number {
    if (this.at >= this.end) throw decodeFailure("Cannot read a byte: there is none");
    return this.bytes[this.at++] ?? 0;
  }

  uint16(): number {
    this.need(2);
    const { bytes, at } = this;
    this.at = at + 2;
    return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  }

  uint32(): number {
    this.need(4);
    const { bytes, at } = this;
    this.at = at + 4;
    return (
      (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>>
      0
    );
  }

  uint64(): bigint {
    const high = this.uint32();
    return (BigInt(high) << 32n) | BigInt(this.uint32());
  }

  /** A ulong of eight bytes as a number, which most are: a bigint costs ten times as much. Bigint where it is not exact. */
  unsigned64(): number | bigint {
    const high = this.uint32();
    const low = this.uint32();
    return high < 0x20_0000 ? high * 0x1_0000_0000 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  /** A long of eight bytes, likewise. */
  signed64(): number | bigint {
    const high = this.uint32() | 0;
    const low = this.uint32();
    const value = high * 0x1_0000_0000 + low;
    return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
  }

  /** The next `count` bytes, as a view of them. */
  take(count: number): Uint8Array {
    this.need(count);
    const at = this.at;
    this.at = at + count;
    return this.bytes.subarray(at, this.at);
  }

  /** Whether the next value is null, which is then read. */
  nullNext(): boolean {
    if (this.at >= this.end) throw decodeFailure("Cannot read a value: there is none");
    if (this.bytes[this.at] !== CODE.null) return false;
    this.at++;
    return true;
  }

  /** A uint, or `otherwise` for null. */
  uintOr(otherwise: number): number {
    const code = this.byte();
    switch (code) {
      case CODE.smallUint:
        return this.byte();
      case CODE.uint0:
        return 0;
      case CODE.uint:
        return this.uint32();
      case CODE.null:
        return otherwise;
      default:
        throw unexpected("uint", code);
    }
  }

  ubyteOr(otherwise: number): number {
    const code = this.byte();
    if (code === CODE.ubyte) return this.byte();
    if (code === CODE.null) return otherwise;
    throw unexpected("ubyte", code);
  }

  ushortOr(otherwise: number): number {
    const code = this.byte();
    if (code === CODE.ushort) return this.uint16();
    if (code === CODE.null) return otherwise;
    throw unexpected("ushort", code);
  }

  booleanOr<T>(otherwise: T): boolean | T {
    const code = this.byte();
    if (code === CODE.true) return true;
    if (code === CODE.false) return false;
    if (code === CODE.null) return otherwise;
    if (code === CODE.boolean) return this.truth();
    throw unexpected("boolean", code);
  }

  /** The one byte of a boolean. */
  truth(): boolean {
    const byte = this.byte();
    if (byte > 1) throw decodeFailure(`Cannot read a boolean: it is ${byte}, wanted 0 or 1`);
    return byte === 1;
  }

  /** A ulong, or null. */
  ulong(): bigint | null {
    const code = this.byte();
    switch (code) {
      case CODE.smallUlong:
        return BigInt(this.byte());
      case CODE.ulong0:
        return 0n;
      case CODE.ulong:
        return this.uint64();
      case CODE.null:
        return null;
      default:
        throw unexpected("ulong", code);
    }
  }

  string(): string | null {
    const size = this.variable(CODE.string8, CODE.string32, "string");
    return size === ABSENT ? null : decodeUtf8(this.bytes, this.at - size, this.at);
  }

  symbol(): string | null {
    const size = this.variable(CODE.symbol8, CODE.symbol32, "symbol");
    return size === ABSENT ? null : decodeAscii(this.bytes, this.at - size, this.at);
  }

  /** A string or a symbol that is likely to have come before, such as a key or an address; null for what is neither, which is not read. */
  name(): string | null {
    const code = this.at < this.end ? this.bytes[this.at] : undefined;
    const isSymbol = code === CODE.symbol8 || code === CODE.symbol32;
    if (!isSymbol && code !== CODE.string8 && code !== CODE.string32) return null;
    this.at++;
    const size = code === CODE.symbol8 || code === CODE.string8 ? this.byte() : this.uint32();
    this.need(size);
    this.at += size;
    const decode = isSymbol ? decodeAscii : decodeName;
    return decode(this.bytes, this.at - size, this.at);
  }

  /** A binary as a view of the bytes, or null. */
  binary(): Uint8Array | null {
    const size = this.variable(CODE.binary8, CODE.binary32, "binary");
    return size === ABSENT ? null : this.bytes.subarray(this.at - size, this.at);
  }

  /** Goes beyond a binary and returns its size, which stands before `at`; `ABSENT` for null. */
  binarySize(): number {
    return this.variable(CODE.binary8, CODE.binary32, "binary");
  }

  /**
   * Reads a descriptor: its number where it is one of the specification's own (below 2^32), as number or as symbol.
   * `numberOf` says what a symbol means.
   */
  descriptor(numberOf: ReadonlyMap<string, number>): number {
    const code = this.byte();
    if (code !== CODE.described) throw unexpected("a described type", code);
    const next = this.byte();
    if (next === CODE.smallUlong) return this.byte();
    if (next === CODE.ulong0) return 0;
    if (next === CODE.ulong) {
      const value = this.uint64();
      return value < 0x1_0000_0000n ? Number(value) : ABSENT;
    }
    this.at--;
    if (next !== CODE.symbol8 && next !== CODE.symbol32) throw unexpected("a descriptor", next);
    return numberOf.get(this.symbol() ?? "") ?? ABSENT;
  }

  /** Begins a list: `fields` and `listEnd` are then those of it. */
  list(): void {
    const code = this.byte();
    if (code === CODE.list0) {
      this.fields = 0;
      this.listEnd = this.at;
      return;
    }
    let count: number;
    if (code === CODE.list8) {
      const size = this.byte();
      this.need(size);
      this.listEnd = this.at + size;
      count = this.byte();
    } else if (code === CODE.list32) {
      const size = this.uint32();
      this.need(size);
      this.listEnd = this.at + size;
      count = this.uint32();
    } else throw unexpected("list", code);
    if (this.at > this.listEnd || count > this.listEnd - this.at) {
      throw decodeFailure(`Cannot read a list of ${count} fields: there are ${this.listEnd - this.at} bytes`);
    }
    this.fields = count;
  }

  /** Whether the list has another field, which is then to be read. */
  field(): boolean {
    if (this.fields === 0) return false;
    this.fields--;
    return true;
  }

  /** Ends a list of which all fields were read; `fields` and `listEnd` may have been kept by the caller. */
  endList(listEnd: number, fields: number): void {
    if (fields !== 0) throw decodeFailure(`Cannot read a list: it has ${fields} fields too many`);
    if (this.at !== listEnd) throw decodeFailure("Cannot read a list: its size is not that of its fields");
  }

  private variable(short: number, long: number, wanted: string): number {
    const code = this.byte();
    let size: number;
    if (code === short) size = this.byte();
    else if (code === long) size = this.uint32();
    else if (code === CODE.null) return ABSENT;
    else throw unexpected(wanted, code);
    this.need(size);
    this.at += size;
    return size;
  }
}

/** The failure of a format code that is not the wanted one. */
export function unexpected(wanted: string, code: number): WireFailure {
  return new WireFailure(
    CONDITION.decodeError,
    `Cannot read ${wanted}: the format code is 0x${code.toString(16).padStart(2, "0")}`,
  );
}
