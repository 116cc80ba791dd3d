import { CODE, DEPTH_MAX } from "./codes.ts";
import { encodeUtf8 } from "./text.ts";
import { type AmqpType, Described, Typed, TypedArray, type Value, type ValueMap } from "./values.ts";
import { Writer } from "./writer.ts";

/** A value as bytes; see `Value` for the types they get. Throws `TypeError` for what AMQP has no type for. */
export function encodeValue(value: Value): Uint8Array {
  const writer = new Writer();
  writeValue(writer, value);
  return writer.take();
}

/** Writes a value; see `encodeValue`. */
export function writeValue(writer: Writer, value: Value, depth = 0): void {
  if (depth > DEPTH_MAX) throw new TypeError(`Cannot write a value: it is deeper than ${DEPTH_MAX}`);
  if (value === null) return writer.null();
  if (value instanceof Typed) return writeTyped(writer, value.type, value.value, depth);
  if (value instanceof Described) {
    writer.byte(CODE.described);
    writeValue(writer, value.descriptor, depth + 1);
    return writeValue(writer, value.value, depth + 1);
  }
  if (value instanceof TypedArray) return writeArray(writer, value, depth);
  writeTyped(writer, naturalType(value), value, depth);
}

/** The type that a value of JavaScript gets. */
function naturalType(value: Exclude<Value, null | Typed | Described | TypedArray>): AmqpType {
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "string":
      return "string";
    case "bigint":
      return value > LONG_MAX ? "ulong" : "long";
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return "double";
      return value === (value | 0) ? "int" : "long";
    default:
  }
  if (value instanceof Uint8Array) return "binary";
  if (value instanceof Date) return "timestamp";
  if (Array.isArray(value)) return "list";
  if (value instanceof Map) return "map";
  throw new TypeError(`Cannot write ${Object.prototype.toString.call(value)}: AMQP has no such type`);
}

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);
const ULONG_MAX = 2n ** 64n - 1n;

function writeTyped(writer: Writer, type: AmqpType, value: Value, depth: number): void {
  switch (type) {
    case "null":
      return writer.null();
    case "boolean":
      return writer.boolean(value === true);
    case "uint":
      return writer.uint(wholeOf(type, value));
    case "ulong":
      return writer.ulong(bigOf(type, value, 0n, ULONG_MAX));
    case "int":
      return writeSmall(writer, CODE.smallInt, CODE.int, wholeOf(type, value));
    case "long": {
      const long = bigOf(type, value, LONG_MIN, LONG_MAX);
      if (long < -128n || long > 127n) break;
      writer.byte(CODE.smallLong);
      return writer.byte(Number(long) & 0xff);
    }
    case "binary":
      return writer.binary(bytesOf(type, value));
    case "string":
      return writer.string(stringOf(type, value));
    case "symbol":
      return writer.symbol(asciiOf(value));
    case "list":
      return writeList(writer, listOf(value), depth);
    case "map":
      return writeMap(writer, mapOf(value), depth);
    default:
  }
  writer.byte(CODES[type]);
  writeContent(writer, type, value, depth);
}

function writeSmall(writer: Writer, short: number, long: number, value: number): void {
  if (value >= -128 && value <= 127) {
    writer.byte(short);
    return writer.byte(value & 0xff);
  }
  writer.byte(long);
  writer.uint32(value);
}

/** The format codes with which elements of an array are written: always the longest of each type. */
const CODES: Readonly<Record<AmqpType, number>> = {
  null: CODE.null,
  boolean: CODE.boolean,
  ubyte: CODE.ubyte,
  ushort: CODE.ushort,
  uint: CODE.uint,
  ulong: CODE.ulong,
  byte: CODE.byte,
  short: CODE.short,
  int: CODE.int,
  long: CODE.long,
  float: CODE.float,
  double: CODE.double,
  decimal32: CODE.decimal32,
  decimal64: CODE.decimal64,
  decimal128: CODE.decimal128,
  char: CODE.char,
  timestamp: CODE.timestamp,
  uuid: CODE.uuid,
  binary: CODE.binary32,
  string: CODE.string32,
  symbol: CODE.symbol32,
  list: CODE.list32,
  map: CODE.map32,
};

/** Writes what comes after the format code of `CODES`. */
function writeContent(writer: Writer, type: AmqpType, value: Value, depth: number): void {
  switch (type) {
    case "boolean":
      return writer.byte(value === true ? 1 : 0);
    case "ubyte":
    case "byte":
      return writer.byte(wholeOf(type, value) & 0xff);
    case "ushort":
    case "short":
      return writer.uint16(wholeOf(type, value) & 0xffff);
    case "uint":
    case "int":
      return writer.uint32(wholeOf(type, value));
    case "ulong":
      return writer.uint64(bigOf(type, value, 0n, ULONG_MAX));
    case "long":
      return writer.uint64(bigOf(type, value, LONG_MIN, LONG_MAX));
    case "timestamp":
      return writer.uint64(bigOf(type, value instanceof Date ? value.getTime() : value, LONG_MIN, LONG_MAX));
    case "float":
      return writer.float32(numberOf(type, value));
    case "double":
      return writer.float64(numberOf(type, value));
    case "char":
      return writer.uint32(pointOf(value));
    case "decimal32":
      return writer.raw(bytesOf(type, value, 4));
    case "decimal64":
      return writer.raw(bytesOf(type, value, 8));
    case "decimal128":
    case "uuid":
      return writer.raw(bytesOf(type, value, 16));
    case "binary":
      return writeVariable(writer, bytesOf(type, value));
    case "string":
      return writeVariable(writer, encodeUtf8(stringOf(type, value)));
    case "symbol":
      return writeVariable(writer, encodeUtf8(asciiOf(value)));
    case "list":
      return writeItems(writer, listOf(value), depth);
    case "map":
      return writeItems(writer, [...mapOf(value)].flat(), depth);
    case "null":
      throw new TypeError("Cannot write an array of nulls: it would have no bytes to count");
  }
}

function writeVariable(writer: Writer, bytes: Uint8Array): void {
  writer.uint32(bytes.length);
  writer.raw(bytes);
}

function writeItems(writer: Writer, items: readonly Value[], depth: number): void {
  const at = writer.length;
  writer.uint32(0);
  writer.uint32(0);
  for (const item of items) writeValue(writer, item, depth + 1);
  writer.end32(at, items.length);
}

function writeList(writer: Writer, items: readonly Value[], depth: number): void {
  if (items.length === 0) return writer.byte(CODE.list0);
  writer.byte(CODE.list32);
  writeItems(writer, items, depth);
}

function writeMap(writer: Writer, map: ValueMap, depth: number): void {
  const at = writer.begin32(CODE.map32);
  for (const [key, value] of map) {
    writeValue(writer, key, depth + 1);
    writeValue(writer, value, depth + 1);
  }
  writer.end32(at, map.size * 2);
}

function writeArray(writer: Writer, array: TypedArray, depth: number): void {
  writer.byte(CODE.array32);
  const at = writer.length;
  writer.uint32(0);
  writer.uint32(0);
  if (array.descriptor !== undefined) {
    writer.byte(CODE.described);
    writeValue(writer, array.descriptor, depth + 1);
  }
  writer.byte(CODES[array.type]);
  for (const value of array.values) {
    writeContent(writer, array.type, value instanceof Typed ? value.value : value, depth + 1);
  }
  writer.end32(at, array.values.length);
}

const RANGES: Readonly<Record<"ubyte" | "byte" | "ushort" | "short" | "uint" | "int", readonly [number, number]>> = {
  ubyte: [0, 0xff],
  byte: [-0x80, 0x7f],
  ushort: [0, 0xffff],
  short: [-0x8000, 0x7fff],
  uint: [0, 0xffff_ffff],
  int: [-0x8000_0000, 0x7fff_ffff],
};

function wholeOf(type: keyof typeof RANGES, value: Value): number {
  const [min, max] = RANGES[type];
  const number = numberOf(type, value);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new TypeError(`Cannot write ${number} as ${type}: wanted a whole number from ${min} to ${max}`);
  }
  return number;
}

function numberOf(type: AmqpType, value: Value): number {
  if (typeof value !== "number") throw wrong(type, value, "a number");
  return value;
}

function bigOf(type: AmqpType, value: Value, min: bigint, max: bigint): bigint {
  if (typeof value !== "bigint" && !(typeof value === "number" && Number.isInteger(value))) {
    throw wrong(type, value, "a whole number");
  }
  const big = BigInt(value);
  if (big < min || big > max) throw wrong(type, value, `a number from ${min} to ${max}`);
  return big;
}

function bytesOf(type: AmqpType, value: Value, size?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (size !== undefined && value.length !== size)) {
    throw wrong(type, value, size === undefined ? "bytes" : `${size} bytes`);
  }
  return value;
}

function stringOf(type: AmqpType, value: Value): string {
  if (typeof value !== "string") throw wrong(type, value, "a text");
  return value;
}

function asciiOf(value: Value): string {
  const text = stringOf("symbol", value);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) throw wrong("symbol", value, "ASCII");
  }
  return text;
}

function pointOf(value: Value): number {
  const text = stringOf("char", value);
  const point = text.codePointAt(0);
  if (point === undefined || String.fromCodePoint(point) !== text || (point >= 0xd800 && point <= 0xdfff)) {
    throw wrong("char", value, "one character");
  }
  return point;
}

function listOf(value: Value): readonly Value[] {
  if (!Array.isArray(value)) throw wrong("list", value, "an array");
  return value;
}

function mapOf(value: Value): ValueMap {
  if (!(value instanceof Map)) throw wrong("map", value, "a Map");
  return value;
}

function wrong(type: AmqpType, value: Value, wanted: string): TypeError {
  const shown = typeof value === "object" ? Object.prototype.toString.call(value) : String(value).slice(0, 100);
  return new TypeError(`Cannot write ${shown} as ${type}: wanted ${wanted}`);
}
