import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { frame, fromHex, toHex } from "../testing/frames.ts";
import { WireFailure } from "../types/conditions.ts";
import { protocolHeader, readProtocolHeader } from "./protocol-header.ts";
import { FrameSplitter } from "./splitter.ts";

/** All bodies that are found, with their channels, after the protocol header. */
function split(pieces: Iterable<Uint8Array>, frameBytesMax = 1_000): string[] {
  const splitter = new FrameSplitter(frameBytesMax);
  const found: string[] = [];
  for (const piece of pieces) {
    splitter.push(piece);
    while (splitter.next()) {
      const body = toHex(splitter.bytes.subarray(splitter.start, splitter.end));
      found.push(splitter.expectHeader ? `header ${body}` : `${splitter.type}/${splitter.channel} ${body}`);
      splitter.expectHeader = false;
    }
  }
  return found;
}

const bytes = Uint8Array.from([
  ...protocolHeader(0),
  ...frame("0102", 7),
  ...frame("", 0, 1),
  ...fromHex("00000010 03 00 0001 ffffffff 01020304"),
  ...frame("ab".repeat(300), 65_535),
]);
const FOUND = ["header 414d515000010000", "0/7 0102", "1/0 ", "0/1 01020304", `0/65535 ${"ab".repeat(300)}`];

test("FrameSplitter finds frames in pieces of any size", () => {
  expect(split([bytes])).toEqual(FOUND);
  expect(split(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(FOUND);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      expect(split(places.slice(1).map((end, i) => bytes.slice(places[i], end)))).toEqual(FOUND);
    }),
  );
});

test.each([
  ["a size below that of its own header", "00000007 02 00 0000"],
  ["a size above the limit", "000003e9 02 00 0000"],
  ["a size of 4 GiB", "ffffffff 02 00 0000"],
  ["an offset into its own header", "00000008 01 00 0000"],
  ["an offset beyond its end", "00000008 03 00 0000"],
])("FrameSplitter refuses a frame with %s, before more of it is there", (_, text) => {
  expect(() => split([protocolHeader(0), fromHex(text)])).toThrow(WireFailure);
  expect(() => split([protocolHeader(0), ...Array.from(fromHex(text), (byte) => Uint8Array.of(byte))])).toThrow(
    WireFailure,
  );
});

test.each([
  ["414d5150 00 010000", 0],
  ["414d5150 03 010000", 3],
  ["414d5150 00 010001", null],
  ["414d5150 00 000901", null],
  ["47455420 2f 204854", null],
])("readProtocolHeader() of %s is %s", (text, protocol) => {
  expect(readProtocolHeader(fromHex(text), 0)).toBe(protocol);
});
