import { own, ProtocolError } from "@datawire/protocol";
import type { Attributes, Json } from "../model/records.ts";

/** A message of OTLP as JSON or protobuf give it: fields by their JSON names, anything in them. */
export type Message = Readonly<Record<string, unknown>>;

/** Values nested deeper are cut. */
const DEPTH_MAX = 16;
/** Longer texts of attributes are cut. */
const TEXT_MAX = 256 * 1024;
/** More attributes of one span or event are left out. */
const ATTRIBUTES_MAX = 512;

const isObject = (value: unknown): value is Message => typeof value === "object" && value !== null;

/** The messages of a repeated field. @throws ProtocolError where it is something else. */
export function messages(message: Message, field: string): Message[] {
  const value = own(message, field);
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every(isObject)) return value;
  throw malformed(field, "a list of objects");
}

/** Resources and scopes of one request: an exporter has a handful, and each costs more than it takes in the body. */
const PARTS_MAX = 20_000;

/** Counts the resources and scopes of a request. */
export class Parts {
  #count = 0;

  /** The parts in a repeated field. @throws ProtocolError where it is something else, or the request has too many. */
  of(parent: Message, field: string): Message[] {
    const found = messages(parent, field);
    this.#count += found.length;
    if (this.#count <= PARTS_MAX) return found;
    throw new ProtocolError(
      "invalid_argument",
      `Cannot read the body: it has more than ${PARTS_MAX} resources and scopes`,
    );
  }
}

/** The message of a field; an empty one where there is none. @throws ProtocolError where it is something else. */
export function message(parent: Message, field: string): Message {
  const value = own(parent, field);
  if (value === undefined || value === null) return {};
  if (isObject(value) && !Array.isArray(value)) return value;
  throw malformed(field, "an object");
}

/** The text of a field; empty where there is none. @throws ProtocolError where it is something else. */
export function text(parent: Message, field: string): string {
  const value = own(parent, field);
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw malformed(field, "text");
}

/** A number, however it is written: JSON has those of 64 bits as text. @throws ProtocolError where it is none. */
export function number(parent: Message, field: string): number {
  const value = own(parent, field);
  if (value === undefined || value === null) return 0;
  const read = numberOf(value);
  if (Number.isFinite(read)) return read;
  throw malformed(field, "a number");
}

/** An enumeration by its number or, as some write it in JSON, by its name. */
export function enumeration(parent: Message, field: string, names: readonly string[]): number {
  const value = own(parent, field);
  if (typeof value === "string" && names.includes(value)) return names.indexOf(value);
  return number(parent, field);
}

/** Nanoseconds since 1970 as milliseconds, to the microsecond. */
export const milliseconds = (nanoseconds: number): number => Math.round(nanoseconds / 1_000) / 1_000;

/** An id in hexadecimal digits, as it was sent: protobuf has bytes, JSON has text. */
export function id(parent: Message, field: string): string {
  const value = own(parent, field);
  return value instanceof Uint8Array ? hex(value) : text(parent, field);
}

/** What a list of keys and values says; the last of a key counts. */
export function attributes(parent: Message, field: string): Attributes {
  const list = messages(parent, field);
  if (list.length === 0) return NONE;
  return Object.fromEntries(keyValues(list.slice(0, ATTRIBUTES_MAX), 0));
}

const NONE: Attributes = {};

/** What an AnyValue holds. */
export function anyValue(value: unknown, depth = 0): Json {
  if (!isObject(value) || depth > DEPTH_MAX) return null;
  const string = own(value, "stringValue");
  if (typeof string === "string") return string.length > TEXT_MAX ? `${string.slice(0, TEXT_MAX)}…` : string;
  const boolean = own(value, "boolValue");
  if (typeof boolean === "boolean") return boolean;
  const int = own(value, "intValue");
  if (int !== undefined && int !== null) return integer(int);
  const double = own(value, "doubleValue");
  // JSON of protobuf writes "NaN" and "Infinity" as text, and JSON has no such numbers.
  if (typeof double === "string")
    return double.trim() !== "" && Number.isFinite(Number(double)) ? Number(double) : double;
  if (typeof double === "number") return Number.isFinite(double) ? double : `${double}`;
  const array = own(value, "arrayValue");
  if (isObject(array)) return messages(array, "values").map((one) => anyValue(one, depth + 1));
  const list = own(value, "kvlistValue");
  if (isObject(list)) return Object.fromEntries(keyValues(messages(list, "values"), depth + 1));
  const bytes = own(value, "bytesValue");
  if (bytes instanceof Uint8Array) return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return typeof bytes === "string" ? bytes : null;
}

function keyValues(list: readonly Message[], depth: number): [string, Json][] {
  return list.flatMap((one): [string, Json][] => {
    const key = text(one, "key");
    return key === "" ? [] : [[key, anyValue(own(one, "value"), depth)]];
  });
}

/** An integer of 64 bits; as text where a double cannot hold it. */
function integer(value: unknown): Json {
  const read = numberOf(value);
  if (Number.isSafeInteger(read)) return read;
  if (typeof value === "string") return value;
  return isLong(value) ? String((BigInt(value.high) << 32n) | BigInt(value.low >>> 0)) : null;
}

function numberOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value.trim() !== "") return Number(value);
  return isLong(value) ? value.high * 2 ** 32 + (value.low >>> 0) : Number.NaN;
}

/** A number of 64 bits as protobufjs gives it. */
interface Long {
  readonly low: number;
  readonly high: number;
}

const isLong = (value: unknown): value is Long =>
  isObject(value) && typeof value["low"] === "number" && typeof value["high"] === "number";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte] ?? "";
  return text;
}

function malformed(field: string, wanted: string): ProtocolError {
  return new ProtocolError("invalid_argument", `Cannot read the body: ${field} is not ${wanted}`);
}
