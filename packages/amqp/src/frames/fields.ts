import { CODE } from "../types/codes.ts";
import { CONDITION, decodeFailure, WireFailure } from "../types/conditions.ts";
import { readValue } from "../types/decode-value.ts";
import { writeValue } from "../types/encode-value.ts";
import type { Reader } from "../types/reader.ts";
import { Typed, textOf, type Value, type ValueMap } from "../types/values.ts";
import { beginMap, endMap } from "../types/skip-map.ts";
import type { Writer } from "../types/writer.ts";

/** A map with symbols or texts for keys, as properties, filters and annotations are. */
export type Fields = ReadonlyMap<string, Value>;

/** How one type of a field goes over the wire. `read` returns null for null. */
export interface FieldCodec<T> {
  read(reader: Reader): T | null;
  write(writer: Writer, value: T): void;
}

/** One field of a composite type. */
export interface Field {
  readonly key: string;
  readonly codec: { read(reader: Reader): unknown; write(writer: Writer, value: never): void };
  readonly mandatory: boolean;
}

/** A field that may be null, which is how an object without it is written. */
export function optional<T>(key: string, codec: FieldCodec<T>): Field {
  return { key, codec, mandatory: false };
}

/** A field that every peer has to give. */
export function mandatory<T>(key: string, codec: FieldCodec<T>): Field {
  return { key, codec, mandatory: true };
}

/** Reads the list of a composite type into an object: fields that are null or not there are left out. */
export function readComposite(reader: Reader, name: string, fields: readonly Field[]): object {
  reader.list();
  const listEnd = reader.listEnd;
  let left = reader.fields;
  const pairs: [string, unknown][] = [];
  for (const { key, codec, mandatory } of fields) {
    const value: unknown = left > 0 ? codec.read(reader) : null;
    if (left > 0) left--;
    if (value !== null) pairs.push([key, value]);
    else if (mandatory) throw new WireFailure(CONDITION.invalidField, `Cannot read ${name}: it has no ${key}`);
  }
  reader.endList(listEnd, left);
  return Object.fromEntries(pairs);
}

/** Writes a composite type with its descriptor; nulls at the end are left out. */
export function writeComposite(writer: Writer, descriptor: number, object: object, fields: readonly Field[]): void {
  writer.descriptor(descriptor);
  // Keys are those of the table: none of them is one that every object has.
  const valueOf = (at: number): unknown => Reflect.get(object, (fields[at] as Field).key);
  let count = fields.length;
  while (count > 0 && valueOf(count - 1) == null) count--;
  if (count === 0) return writer.byte(CODE.list0);
  const at = writer.begin32(CODE.list32);
  for (let i = 0; i < count; i++) {
    const value = valueOf(i);
    if (value == null) writer.null();
    else (fields[i] as Field).codec.write(writer, value as never);
  }
  writer.end32(at, count);
}

/** A number of 32 bits. */
export const uint: FieldCodec<number> = {
  read: (reader) => orNull(reader.uintOr(-1)),
  write: (writer, value) => writer.uint(value),
};

/** A number of 16 bits. */
export const ushort: FieldCodec<number> = {
  read: (reader) => orNull(reader.ushortOr(-1)),
  write: (writer, value) => writer.ushort(value),
};

/** A number of 8 bits. */
export const ubyte: FieldCodec<number> = {
  read: (reader) => orNull(reader.ubyteOr(-1)),
  write: (writer, value) => writer.ubyte(value),
};

/** As a number, which is not exact above 2^53: for sizes. */
export const ulong: FieldCodec<number> = {
  read(reader) {
    const value = reader.ulong();
    return value === null ? null : Number(value);
  },
  write: (writer, value) => writer.ulong(value >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(Math.floor(value))),
};

/** True or false. */
export const boolean: FieldCodec<boolean> = {
  read: (reader) => reader.booleanOr(null),
  write: (writer, value) => writer.boolean(value),
};

/** A text. */
export const string: FieldCodec<string> = {
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(value),
};

/** A symbol, as the text that it is. */
export const symbolic: FieldCodec<string> = {
  read: (reader) => reader.symbol(),
  write: (writer, value) => writer.symbol(value),
};

/** A copy, as what it is read from may be large and soon gone. */
export const binary: FieldCodec<Uint8Array> = {
  read: (reader) => reader.binary()?.slice() ?? null,
  write: (writer, value) => writer.binary(value),
};

/** A field that may have several symbols: one alone, or an array. */
export const symbols: FieldCodec<readonly string[]> = {
  read(reader) {
    if (reader.nullNext()) return null;
    const value = readValue(reader);
    const items: readonly Value[] = Array.isArray(value) ? value : [value];
    return items.map((item) => {
      if (!(item instanceof Typed && item.type === "symbol")) throw decodeFailure("Cannot read symbols: one is none");
      return textOf(item) ?? "";
    });
  },
  write(writer, values) {
    writer.byte(CODE.array32);
    const at = writer.length;
    writer.uint32(0);
    writer.uint32(0);
    writer.byte(CODE.symbol32);
    for (const value of values) {
      writer.uint32(value.length);
      for (let i = 0; i < value.length; i++) writer.byte(value.charCodeAt(i) & 0x7f);
    }
    writer.end32(at, values.length);
  },
};

/** Any value at all, with symbols and descriptors wrapped. */
export const anything: FieldCodec<Value> = {
  read: (reader) => readValue(reader),
  write: (writer, value) => writeValue(writer, value),
};

/** A map with any keys; binaries in it are views, so it is not to be kept beside large frames. */
export const map: FieldCodec<ValueMap> = {
  read: (reader) => readMap(reader, false),
  write: (writer, value) => writeValue(writer, value),
};

/** Reads a map with texts for keys. @param typed as in `DecodeOptions`. */
export function readFields(reader: Reader, typed: boolean): Fields | null {
  if (reader.nullNext()) return null;
  const pairs = beginMap(reader);
  const fields = new Map<string, Value>();
  for (let i = 0; i < pairs.count; i += 2) {
    const key = reader.name();
    if (key === null) throw decodeFailure("Cannot read fields: a key is no symbol");
    fields.set(key, readValue(reader, typed, 1));
  }
  endMap(reader, pairs);
  return fields;
}

/** A map with symbols for keys. */
export const fieldsMap: FieldCodec<Fields> = {
  read: (reader) => readFields(reader, false),
  write(writer, fields) {
    const at = writer.begin32(CODE.map32);
    for (const [key, value] of fields) {
      writer.symbol(key);
      writeValue(writer, value);
    }
    writer.end32(at, fields.size * 2);
  },
};

function readMap(reader: Reader, typed: boolean): ValueMap | null {
  if (reader.nullNext()) return null;
  const value = readValue(reader, typed);
  if (!(value instanceof Map)) throw decodeFailure("Cannot read a map: it is none");
  return value;
}

function orNull(value: number): number | null {
  return value < 0 ? null : value;
}
