import { CODE, DEPTH_MAX } from "./codes.ts";
import { decodeFailure } from "./conditions.ts";
import { plainBytes } from "./plain-bytes.ts";
import { Reader, unexpected } from "./reader.ts";
import { decodeAscii, decodeUtf8 } from "./text.ts";
import { type AmqpType, Described, Typed, TypedArray, type Value } from "./values.ts";

/** How values are to be shown. */
export interface DecodeOptions {
  /**
   * Whether each value keeps the type it has on the wire, so that it can be written again as it was: numbers, timestamps
   * and chars are then `Typed` too, and ulong and long bigints. Default: false, numbers (bigint where they are not exact
   * as such), Dates, and texts. Symbols, uuids, decimals and descriptors are wrapped either way.
   */
  readonly typed?: boolean;
}

/** The value that `bytes` are, all of them; throws `WireFailure`. Binaries are views of `bytes`. */
export function decodeValue(bytes: Uint8Array, options: DecodeOptions = {}): Value {
  const reader = new Reader(plainBytes(bytes));
  const value = readValue(reader, options.typed ?? false);
  if (reader.at !== reader.end) throw decodeFailure(`Cannot read a value: ${reader.end - reader.at} bytes are left`);
  return value;
}

/** Reads the next value; see `DecodeOptions`. */
export function readValue(reader: Reader, typed = false, depth = 0): Value {
  return readAs(reader.byte(), reader, typed, depth);
}

function readAs(code: number, reader: Reader, typed: boolean, depth: number): Value {
  if (depth > DEPTH_MAX) throw decodeFailure(`Cannot read a value: it is deeper than ${DEPTH_MAX}`);
  switch (code) {
    case CODE.described: {
      const descriptor = readValue(reader, true, depth + 1);
      return new Described(descriptor, readValue(reader, typed, depth + 1));
    }
    case CODE.list0:
      return [];
    case CODE.list8:
    case CODE.list32:
      return readItems(reader, code === CODE.list8, typed, depth);
    case CODE.map8:
    case CODE.map32:
      return toMap(readItems(reader, code === CODE.map8, typed, depth));
    case CODE.array8:
    case CODE.array32:
      return readArray(reader, code === CODE.array8, typed, depth);
    default: {
      const type = TYPES.get(code);
      if (type === undefined) throw unexpected("a value", code);
      return typed ? wrapAlways(type, readPrimitive(code, reader)) : readPlain(code, type, reader);
    }
  }
}

/** The types of the format codes, apart from lists, maps, arrays and descriptors. */
const TYPES: ReadonlyMap<number, AmqpType> = new Map<number, AmqpType>([
  [CODE.null, "null"],
  [CODE.true, "boolean"],
  [CODE.false, "boolean"],
  [CODE.boolean, "boolean"],
  [CODE.ubyte, "ubyte"],
  [CODE.ushort, "ushort"],
  [CODE.uint, "uint"],
  [CODE.smallUint, "uint"],
  [CODE.uint0, "uint"],
  [CODE.ulong, "ulong"],
  [CODE.smallUlong, "ulong"],
  [CODE.ulong0, "ulong"],
  [CODE.byte, "byte"],
  [CODE.short, "short"],
  [CODE.int, "int"],
  [CODE.smallInt, "int"],
  [CODE.long, "long"],
  [CODE.smallLong, "long"],
  [CODE.float, "float"],
  [CODE.double, "double"],
  [CODE.decimal32, "decimal32"],
  [CODE.decimal64, "decimal64"],
  [CODE.decimal128, "decimal128"],
  [CODE.char, "char"],
  [CODE.timestamp, "timestamp"],
  [CODE.uuid, "uuid"],
  [CODE.binary8, "binary"],
  [CODE.binary32, "binary"],
  [CODE.string8, "string"],
  [CODE.string32, "string"],
  [CODE.symbol8, "symbol"],
  [CODE.symbol32, "symbol"],
]);

/** ulong, long and timestamp are bigints here, all other number types numbers. */
function readPrimitive(code: number, reader: Reader): Value {
  switch (code) {
    case CODE.null:
      return null;
    case CODE.true:
      return true;
    case CODE.false:
      return false;
    case CODE.boolean:
      return reader.truth();
    case CODE.ubyte:
    case CODE.smallUint:
      return reader.byte();
    case CODE.ushort:
      return reader.uint16();
    case CODE.uint:
      return reader.uint32();
    case CODE.uint0:
      return 0;
    case CODE.smallUlong:
      return BigInt(reader.byte());
    case CODE.ulong0:
      return 0n;
    case CODE.ulong:
      return reader.uint64();
    case CODE.byte:
    case CODE.smallInt:
      return (reader.byte() << 24) >> 24;
    case CODE.smallLong:
      return BigInt((reader.byte() << 24) >> 24);
    case CODE.short:
      return (reader.uint16() << 16) >> 16;
    case CODE.int:
      return reader.uint32() | 0;
    case CODE.long:
    case CODE.timestamp:
      return BigInt.asIntN(64, reader.uint64());
    case CODE.float:
      return viewOf(reader, 4).getFloat32(0);
    case CODE.double:
      return viewOf(reader, 8).getFloat64(0);
    case CODE.char:
      return charOf(reader.uint32());
    case CODE.decimal32:
      return reader.take(4);
    case CODE.decimal64:
      return reader.take(8);
    case CODE.decimal128:
    case CODE.uuid:
      return reader.take(16);
    case CODE.binary8:
      return reader.take(reader.byte());
    case CODE.binary32:
      return reader.take(reader.uint32());
    default:
      return readText(code, reader);
  }
}

function readText(code: number, reader: Reader): string {
  const size = code === CODE.string8 || code === CODE.symbol8 ? reader.byte() : reader.uint32();
  reader.need(size);
  const start = reader.at;
  reader.at += size;
  const isString = code === CODE.string8 || code === CODE.string32;
  return isString ? decodeUtf8(reader.bytes, start, reader.at) : decodeAscii(reader.bytes, start, reader.at);
}

function viewOf(reader: Reader, size: number): DataView {
  const bytes = reader.take(size);
  return new DataView(bytes.buffer, bytes.byteOffset, size);
}

function charOf(point: number): string {
  if (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) {
    throw decodeFailure(`Cannot read a char: ${point} is none of Unicode`);
  }
  return String.fromCodePoint(point);
}

function wrapAlways(type: AmqpType, value: Value): Value {
  switch (type) {
    case "null":
    case "boolean":
    case "string":
    case "binary":
      return value;
    case "timestamp":
      return new Typed(type, Number(value));
    default:
      return new Typed(type, value);
  }
}

/** A value as JavaScript has it; wrapped where it has no such type. */
function readPlain(code: number, type: AmqpType, reader: Reader): Value {
  switch (code) {
    case CODE.smallUlong:
      return reader.byte();
    case CODE.ulong0:
      return 0;
    case CODE.ulong:
      return reader.unsigned64();
    case CODE.smallLong:
      return (reader.byte() << 24) >> 24;
    case CODE.long:
      return reader.signed64();
    case CODE.timestamp:
      return new Date(Number(reader.signed64()));
    default:
  }
  const value = readPrimitive(code, reader);
  switch (type) {
    case "symbol":
    case "uuid":
    case "decimal32":
    case "decimal64":
    case "decimal128":
      return new Typed(type, value);
    default:
      return value;
  }
}

/** Reads size and count of a list, a map or an array, and returns the count; `end` is where it has to end. */
function readCount(reader: Reader, short: boolean): { count: number; end: number } {
  const size = short ? reader.byte() : reader.uint32();
  reader.need(size);
  const end = reader.at + size;
  if (size < (short ? 1 : 4)) throw decodeFailure(`Cannot read a compound value of ${size} bytes`);
  const count = short ? reader.byte() : reader.uint32();
  // No value has fewer bytes than one. What elements of an array may be without any (null, true) is not taken: a frame of
  // ten bytes could name four billion of them.
  if (count > end - reader.at) {
    throw decodeFailure(`Cannot read a compound value of ${count} elements: there are ${end - reader.at} bytes`);
  }
  return { count, end };
}

function requireEnd(reader: Reader, end: number): void {
  if (reader.at !== end) throw decodeFailure("Cannot read a compound value: its size is not that of its elements");
}

function readItems(reader: Reader, short: boolean, typed: boolean, depth: number): Value[] {
  const { count, end } = readCount(reader, short);
  const items: Value[] = [];
  for (let i = 0; i < count; i++) items.push(readValue(reader, typed, depth + 1));
  requireEnd(reader, end);
  return items;
}

function toMap(items: readonly Value[]): Map<Value, Value> {
  if (items.length % 2 !== 0) throw decodeFailure("Cannot read a map: a key has no value");
  const map = new Map<Value, Value>();
  for (let i = 0; i < items.length; i += 2) map.set(items[i] ?? null, items[i + 1] ?? null);
  return map;
}

function readArray(reader: Reader, short: boolean, typed: boolean, depth: number): Value {
  const { count, end } = readCount(reader, short);
  let code = reader.byte();
  let descriptor: Value | undefined;
  if (code === CODE.described) {
    descriptor = readValue(reader, true, depth + 1);
    code = reader.byte();
  }
  const type = typeOf(code);
  const values: Value[] = [];
  for (let i = 0; i < count; i++) {
    const isPrimitive = TYPES.has(code);
    // The array says the type: in a typed one no element needs a wrapper of its own.
    const value = isPrimitive && typed ? plain(code, reader) : readAs(code, reader, typed, depth + 1);
    values.push(value);
  }
  requireEnd(reader, end);
  if (typed) return new TypedArray(type, values, descriptor);
  return descriptor === undefined ? values : values.map((value) => new Described(descriptor, value));
}

function plain(code: number, reader: Reader): Value {
  const value = readPrimitive(code, reader);
  return code === CODE.timestamp ? Number(value) : value;
}

function typeOf(code: number): AmqpType {
  if (code === CODE.list8 || code === CODE.list32 || code === CODE.list0) return "list";
  if (code === CODE.map8 || code === CODE.map32) return "map";
  const type = TYPES.get(code);
  // Arrays of arrays and of descriptors of descriptors: nobody sends them, and TypedArray could not name them.
  if (type === undefined) throw unexpected("an array", code);
  return type;
}
