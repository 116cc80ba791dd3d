import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { decodeValue } from "./decode-value.ts";
import { encodeValue } from "./encode-value.ts";
import { WireFailure } from "./conditions.ts";
import { type AmqpType, Described, symbol, Typed, TypedArray, type Value } from "./values.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const typed = (type: AmqpType, value: Value): Typed => new Typed(type, value);

// Bytes written out by hand from part 1.6 of the specification; the first of each row is how we write it.
test.each<[string, string, Value, Value]>([
  ["null", "40", null, null],
  ["true", "41", true, true],
  ["false", "42", false, false],
  ["boolean of one byte", "56 01", true, true],
  ["ubyte", "50 ff", typed("ubyte", 255), 255],
  ["ushort", "60 0102", typed("ushort", 258), 258],
  ["uint0", "43", typed("uint", 0), 0],
  ["smalluint", "52 ff", typed("uint", 255), 255],
  ["uint", "70 ffffffff", typed("uint", 0xffff_ffff), 0xffff_ffff],
  ["ulong0", "44", typed("ulong", 0n), 0],
  ["smallulong", "53 07", typed("ulong", 7n), 7],
  ["ulong", "80 ffffffffffffffff", typed("ulong", 2n ** 64n - 1n), 2n ** 64n - 1n],
  ["byte", "51 80", typed("byte", -128), -128],
  ["short", "61 8000", typed("short", -32_768), -32_768],
  ["smallint", "54 ff", typed("int", -1), -1],
  ["int", "71 80000000", typed("int", -(2 ** 31)), -(2 ** 31)],
  ["smalllong", "55 80", typed("long", -128n), -128],
  ["long", "81 8000000000000000", typed("long", -(2n ** 63n)), -(2n ** 63n)],
  ["float", "72 3fc00000", typed("float", 1.5), 1.5],
  ["double", "82 3ff8000000000000", typed("double", 1.5), 1.5],
  ["decimal32", "74 01020304", typed("decimal32", unhex("01020304")), typed("decimal32", unhex("01020304"))],
  [
    "decimal64",
    "84 0102030405060708",
    typed("decimal64", unhex("0102030405060708")),
    typed("decimal64", unhex("0102030405060708")),
  ],
  [
    "decimal128",
    `94 ${"0f".repeat(16)}`,
    typed("decimal128", unhex("0f".repeat(16))),
    typed("decimal128", unhex("0f".repeat(16))),
  ],
  ["char", "73 0001f600", typed("char", "😀"), "😀"],
  ["timestamp", "83 00000000000003e8", typed("timestamp", 1_000), new Date(1_000)],
  ["uuid", `98 ${"ab".repeat(16)}`, typed("uuid", unhex("ab".repeat(16))), typed("uuid", unhex("ab".repeat(16)))],
  ["vbin8", "a0 03 010203", unhex("010203"), unhex("010203")],
  ["vbin32", `b0 00000100 ${"aa".repeat(256)}`, unhex("aa".repeat(256)), unhex("aa".repeat(256))],
  ["str8-utf8", "a1 04 c3a46263", "äbc", "äbc"],
  ["str32-utf8", `b1 00000100 ${"61".repeat(256)}`, "a".repeat(256), "a".repeat(256)],
  ["sym8", "a3 03 616263", symbol("abc"), symbol("abc")],
  ["sym32", `b3 00000100 ${"61".repeat(256)}`, symbol("a".repeat(256)), symbol("a".repeat(256))],
  ["list0", "45", typed("list", []), []],
  ["list32", "d0 00000008 00000002 41 a1 01 61", typed("list", [true, "a"]), [true, "a"]],
  ["map32", "d1 00000008 00000002 a1 01 61 41", typed("map", new Map([["a", true]])), new Map([["a", true]])],
  [
    "described",
    "00 a3 03 666f6f a1 03 626172",
    new Described(symbol("foo"), "bar"),
    new Described(symbol("foo"), "bar"),
  ],
])("encodeValue() and decodeValue() know %s", (name, bytes, value, plain) => {
  // Lists and maps are not wrapped, as nothing else is written as they are; a boolean has three codes.
  const unwrapped = value instanceof Typed && (value.type === "list" || value.type === "map") ? value.value : value;
  expect(decodeValue(unhex(bytes), { typed: true })).toEqual(unwrapped);
  expect(decodeValue(unhex(bytes))).toEqual(plain);
  if (name !== "boolean of one byte") expect(hex(encodeValue(value))).toBe(hex(unhex(bytes)));
});

test.each<[string, string, Value]>([
  ["list8", "c0 05 02 41 a1 01 61", [true, "a"]],
  ["map8", "c1 05 02 a1 01 61 41", new Map([["a", true]])],
  ["array8", "e0 06 04 50 01 02 03 04", [1, 2, 3, 4]],
  ["array32", "f0 00000007 00000002 50 01 02", [1, 2]],
  ["an empty array", "e0 02 00 a3", []],
  [
    "an array of described values",
    "e0 07 02 00 53 05 50 01 02",
    [1, 2].map((n) => new Described(typed("ulong", 5n), n)),
  ],
  ["an array of lists", "e0 07 02 c0 01 00 02 01 41", [[], [true]]],
])("decodeValue() knows %s", (_, bytes, value) => {
  expect(decodeValue(unhex(bytes))).toEqual(value);
});

test.each<[string, Value, string]>([
  ["a small number is an int", 5, "54 05"],
  ["a larger one is an int of four bytes", 1_000, "71 000003e8"],
  ["one above 2^31 is a long", 2 ** 31, "81 0000000080000000"],
  ["a fraction is a double", 0.5, "82 3fe0000000000000"],
  ["a negative zero is a double", -0, "82 8000000000000000"],
  ["a bigint is a long", 5n, "55 05"],
  ["a bigint from 2^63 is a ulong", 2n ** 63n, "80 8000000000000000"],
  ["a Date is a timestamp", new Date(1), "83 0000000000000001"],
  ["half of a surrogate pair is a replacement", "\ud800", "a1 03 efbfbd"],
  ["an array of booleans", new TypedArray("boolean", [true, false]), "f0 00000007 00000002 56 01 00"],
])("encodeValue(): %s", (_, value, bytes) => {
  expect(hex(encodeValue(value))).toBe(hex(unhex(bytes)));
});

test.each<[string, string]>([
  ["nothing", ""],
  ["an unknown format code", "3f"],
  ["a code of an unknown subcategory", "10"],
  ["an int of three bytes", "71 000000"],
  ["a string that is longer than its bytes", "a1 05 61"],
  ["a string of 4 GiB", "b1 ffffffff 61"],
  ["a string that is not UTF-8", "a1 01 ff"],
  ["a long string that is not UTF-8", `a1 20 ${"61".repeat(31)}c3`],
  ["a symbol that is not ASCII", "a3 02 c3a4"],
  ["a char that is half of a pair", "73 0000d800"],
  ["a char beyond Unicode", "73 00110000"],
  ["a boolean of 2", "56 02"],
  ["a list of four billion elements", "d0 00000005 ffffffff 40"],
  ["a list that is longer than its bytes", "d0 000000ff 00000001 40"],
  ["a list that ends before its elements", "c0 02 02 40"],
  ["a list with bytes left", "c0 03 01 40 40"],
  ["a list of no bytes", "c0 00"],
  ["a map whose key has no value", "c1 02 01 40"],
  ["an array of four billion nulls", "f0 00000005 ffffffff 40"],
  ["an array of more nulls than bytes", "e0 02 ff 40"],
  ["an array of nothing known", "e0 02 00 3f"],
  ["two values", "40 40"],
  ["lists deeper than 32", `${"c0 ff 01".repeat(40)} 40`],
  ["descriptors deeper than 32", "00".repeat(100)],
])("decodeValue() refuses %s", (_, bytes) => {
  expect(() => decodeValue(unhex(bytes))).toThrow(WireFailure);
});

/** A list in a list, so many times. */
const nested = (depth: number): Value => (depth === 0 ? [] : [nested(depth - 1)]);

test("values are read and written to a depth of 32, and no deeper", () => {
  expect(decodeValue(encodeValue(nested(32)))).toEqual(nested(32));
  expect(() => encodeValue(nested(33))).toThrow("deeper than 32");
  const deep = unhex("d0 00000005 00000001 45");
  let bytes = deep;
  for (let i = 0; i < 40; i++)
    bytes = unhex(`d0 ${(bytes.length + 4).toString(16).padStart(8, "0")} 00000001 ${hex(bytes)}`);
  expect(() => decodeValue(bytes)).toThrow("deeper than 32");
});

test.each<[string, Value]>([
  ["300 as ubyte", typed("ubyte", 300)],
  ["-1 as uint", typed("uint", -1)],
  ["1.5 as int", typed("int", 1.5)],
  ["a text as int", typed("int", "1")],
  ["2^64 as ulong", typed("ulong", 2n ** 64n)],
  ["two characters as char", typed("char", "ab")],
  ["an umlaut as symbol", symbol("ä")],
  ["15 bytes as uuid", typed("uuid", new Uint8Array(15))],
  ["an array of nulls", new TypedArray("null", [null])],
  ["an object", { a: 1 } as unknown as Value],
])("encodeValue() refuses %s", (_, value) => {
  expect(() => encodeValue(value)).toThrow(TypeError);
});

const bytesOf = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 0, max: 255 }).map((n) => typed("ubyte", n)),
  fc.integer({ min: 0, max: 65_535 }).map((n) => typed("ushort", n)),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => typed("uint", n)),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => typed("ulong", n)),
  fc.integer({ min: -128, max: 127 }).map((n) => typed("byte", n)),
  fc.integer({ min: -32_768, max: 32_767 }).map((n) => typed("short", n)),
  fc.integer().map((n) => typed("int", n)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => typed("long", n)),
  fc.float().map((n) => typed("float", n)),
  fc.double().map((n) => typed("double", n)),
  fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 }).map((n) => typed("timestamp", n)),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).map((c) => typed("char", c)),
  bytesOf(4).map((b) => typed("decimal32", b)),
  bytesOf(8).map((b) => typed("decimal64", b)),
  bytesOf(16).map((b) => typed("decimal128", b)),
  bytesOf(16).map((b) => typed("uuid", b)),
  fc.string({ unit: "binary-ascii" }).map(symbol),
  fc.array(fc.integer()).map((items) => new TypedArray("int", items)),
  fc.array(fc.string()).map((items) => new TypedArray("string", items)),
);
const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 5 }).map((pairs) => new Map(pairs)),
    tie("value").map((value) => new Described(symbol("d"), value)),
  ),
}));

test("decodeValue() undoes encodeValue()", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(decodeValue(encodeValue(value), { typed: true })).toEqual(value);
    }),
  );
});

test("decodeValue() returns a value or throws a WireFailure, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decodeValue(bytes);
      } catch (error) {
        if (!(error instanceof WireFailure)) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
});

test("decodeValue() makes nothing but Uint8Arrays of a Buffer", () => {
  const buffer = Buffer.from(unhex("a0 03 010203"));
  const value = decodeValue(buffer) as Uint8Array;
  expect(value.constructor).toBe(Uint8Array);
  buffer[2] = 9;
  expect([...value]).toEqual([9, 2, 3]);
});
