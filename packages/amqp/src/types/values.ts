/** The primitive types of AMQP, by their names in the specification. */
export type AmqpType =
  | "null"
  | "boolean"
  | "ubyte"
  | "ushort"
  | "uint"
  | "ulong"
  | "byte"
  | "short"
  | "int"
  | "long"
  | "float"
  | "double"
  | "decimal32"
  | "decimal64"
  | "decimal128"
  | "char"
  | "timestamp"
  | "uuid"
  | "binary"
  | "string"
  | "symbol"
  | "list"
  | "map";

/**
 * A value as JavaScript has it. Written, a number is an int or a long where it is whole and a double otherwise, a bigint a
 * long (a ulong from 2^63), a string a string, a Date a timestamp, an Uint8Array a binary, an array a list, and a Map a
 * map. For all other types there are the wrappers.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | Typed
  | Described
  | TypedArray
  | readonly Value[]
  | ValueMap;

/** A map as AMQP has it: any value may be a key, and pairs keep their order. */
export type ValueMap = ReadonlyMap<Value, Value>;

/**
 * A value with the type it has or is to have on the wire. Numbers for all number types (bigint for ulong and long, also
 * taken for numbers), milliseconds for a timestamp, one character for a char, 16 bytes for a uuid, 4, 8 or 16 bytes for
 * decimals, and what JavaScript has for the others.
 */
export class Typed {
  readonly type: AmqpType;
  readonly value: Value;

  constructor(type: AmqpType, value: Value) {
    this.type = type;
    this.value = value;
  }
}

/** A value with a descriptor, which says what it means: a symbol or a ulong, as a rule. */
export class Described {
  readonly descriptor: Value;
  readonly value: Value;

  constructor(descriptor: Value, value: Value) {
    this.descriptor = descriptor;
    this.value = value;
  }
}

/** An array: all of one type, and with one descriptor for all where they have one. */
export class TypedArray {
  readonly type: AmqpType;
  /** As in `Typed`. */
  readonly values: readonly Value[];
  readonly descriptor: Value | undefined;

  constructor(type: AmqpType, values: readonly Value[], descriptor?: Value) {
    this.type = type;
    this.values = values;
    this.descriptor = descriptor;
  }
}

/** A symbol: ASCII that means something to AMQP, such as the name of a capability. */
export function symbol(text: string): Typed {
  return new Typed("symbol", text);
}

/** The text of a string or a symbol; null for all others. Peers mix them up. */
export function textOf(value: Value | undefined): string | null {
  if (typeof value === "string") return value;
  return value instanceof Typed && typeof value.value === "string" ? value.value : null;
}
