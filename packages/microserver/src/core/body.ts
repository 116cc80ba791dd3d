import { type Body as WireBody, Described, Typed, TypedArray, type Value } from "@datawire/amqp";
import { MicroserverError } from "./microserver-error.ts";

/**
 * What a message carries: values as JSON has them, and bigint, Date and Uint8Array at any depth; all come back as they
 * were sent. `Typed`, `Described` and `TypedArray` are for peers that want another type of AMQP.
 */
export type Body =
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
  | readonly Body[]
  | ReadonlyMap<Body, Body>
  | { readonly [key: string]: Body | undefined };

/** A body on its way, and whether its longs are bigints. */
export interface WrittenBody {
  readonly body: WireBody;
  readonly hasBigints: boolean;
}

const DEPTH_MAX = 30;

/**
 * A body as it goes over the wire: bytes as data, all else as one value. AMQP has one type for whole numbers beyond 32 bits,
 * so that where there are bigints, such numbers are written as doubles.
 * @throws MicroserverError `invalid_argument` for what is no body.
 */
export function writeBody(body: Body): WrittenBody {
  if (body instanceof Uint8Array) return { body: { type: "data", parts: [body] }, hasBigints: false };
  const hasBigints = containsBigint(body, 0);
  return { body: { type: "value", value: toValue(body, hasBigints, 0) }, hasBigints };
}

/** A body of the wire, of which it keeps no bytes; read with types where `hasBigints`. */
export function readBody(body: WireBody | undefined): Body {
  switch (body?.type) {
    case "data":
      return joined(body.parts);
    case "sequence":
      return body.parts.flat().map(fromValue);
    case "value":
      return fromValue(body.value);
    case undefined:
      return null;
  }
}

/** Properties and annotations as values of AMQP. */
export function writeFields(fields: Readonly<Record<string, Body | undefined>>): Map<string, Value> {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return new Map(known.map(([key, value]) => [key, toValue(value as Body, false, 0)]));
}

/** Fields of the wire as an object, which keeps none of their bytes; of those with the same key, the last. */
export function readFields(
  ...maps: readonly (ReadonlyMap<string, Value> | undefined)[]
): Readonly<Record<string, Body>> {
  const pairs: [string, Body][] = [];
  for (const fields of maps)
    if (fields !== undefined) for (const [key, value] of fields) pairs.push([key, fromValue(value)]);
  return pairs.length === 0 ? {} : Object.fromEntries(pairs);
}

function containsBigint(body: Body | undefined, depth: number): boolean {
  if (typeof body === "bigint") return true;
  if (typeof body !== "object" || body === null || depth > DEPTH_MAX) return false;
  if (isLeaf(body)) return false;
  const inner = (one: Body | undefined): boolean => containsBigint(one, depth + 1);
  if (Array.isArray(body)) return body.some(inner);
  if (body instanceof Map) return [...body].some(([key, value]) => inner(key as Body) || inner(value as Body));
  return Object.values(body).some(inner);
}

function toValue(body: Body, hasBigints: boolean, depth: number): Value {
  if (depth > DEPTH_MAX) throw refuse(`something deeper than ${DEPTH_MAX}`);
  switch (typeof body) {
    case "number":
      return hasBigints && Number.isInteger(body) && body !== (body | 0) ? new Typed("double", body) : body;
    case "bigint":
      if (body < -(2n ** 63n) || body >= 2n ** 64n) throw refuse("a bigint of more than 64 bits");
      return body;
    case "string":
    case "boolean":
      return body;
    case "object":
      break;
    default:
      throw refuse(`a ${typeof body}`);
  }
  if (body === null) return null;
  if (isLeaf(body)) return leafOf(body);
  const inner = (one: Body): Value => toValue(one, hasBigints, depth + 1);
  if (Array.isArray(body)) return body.map((one: Body | undefined) => inner(one ?? null));
  if (body instanceof Map) return new Map([...body].map(([key, value]) => [inner(key as Body), inner(value as Body)]));
  const prototype: unknown = Object.getPrototypeOf(body);
  if (prototype !== null && prototype !== Object.prototype) throw refuse(`an object of a class`);
  const known = Object.entries(body).filter(([, value]) => value !== undefined);
  return new Map(known.map(([key, value]) => [key, inner(value as Body)]));
}

type Leaf = Date | Uint8Array | Typed | Described | TypedArray;

function isLeaf(body: object): body is Leaf {
  return (
    body instanceof Date ||
    body instanceof Uint8Array ||
    body instanceof Typed ||
    body instanceof Described ||
    body instanceof TypedArray
  );
}

function leafOf(body: Leaf): Value {
  if (body instanceof Date && Number.isNaN(body.getTime())) throw refuse("a Date that is none");
  return body;
}

function fromValue(value: Value): Body {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Typed) return fromTyped(value);
  if (value instanceof Uint8Array || value instanceof Described || value instanceof TypedArray) return owned(value);
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(fromValue);
  const pairs = [...(value as ReadonlyMap<Value, Value>)].map(
    ([key, one]) => [fromValue(key), fromValue(one)] as const,
  );
  if (pairs.every(([key]) => typeof key === "string")) return Object.fromEntries(pairs as [string, Body][]);
  return new Map(pairs);
}

/** A value as it is, but for bytes, which are copied: they lie in those of its message. */
function owned<V extends Value>(value: V): V;
function owned(value: Value): Value {
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Typed) return new Typed(value.type, owned(value.value));
  if (value instanceof Described) return new Described(owned(value.descriptor), owned(value.value));
  if (value instanceof TypedArray) {
    const { type, values, descriptor } = value;
    return new TypedArray(type, values.map(owned<Value>), descriptor === undefined ? undefined : owned(descriptor));
  }
  if (Array.isArray(value)) return value.map(owned);
  return new Map([...(value as ReadonlyMap<Value, Value>)].map(([key, one]) => [owned(key), owned(one)]));
}

/** Types that JavaScript has as well are shown as it has them. */
function fromTyped(typed: Typed): Body {
  switch (typed.type) {
    case "uuid":
    case "decimal32":
    case "decimal64":
    case "decimal128":
    case "symbol":
      return owned(typed);
    case "timestamp":
      return typed.value instanceof Date ? typed.value : new Date(Number(typed.value));
    default:
      return fromValue(typed.value);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first.slice();
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const refuse = (what: string): MicroserverError =>
  new MicroserverError(
    "invalid_argument",
    `Cannot send ${what}: wanted values as JSON has them, bigint, Date, Uint8Array or a typed wrapper`,
  );
