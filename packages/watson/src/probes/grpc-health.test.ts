import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { decodeHealthResponse, encodeHealthRequest } from "./grpc-health.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const frame = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

test("encodeHealthRequest() frames the name of a service", () => {
  expect(hex(encodeHealthRequest(""))).toBe("0000000000");
  expect(hex(encodeHealthRequest("ab"))).toBe("00000000040a026162");
});

test("encodeHealthRequest() writes the length of a long name as a varint", () => {
  expect(hex(encodeHealthRequest("x".repeat(300))).slice(0, 16)).toBe("000000012f0aac02");
});

test.each([
  ["00 00000002 0801", "SERVING"],
  ["00 00000002 0802", "NOT_SERVING"],
  ["00 00000000", "UNKNOWN"],
  ["00 00000005 1201ff 0801", "SERVING"], // an unknown field before it
  ["01 00000002 0801", null], // compressed
  ["00 00000003 0801", null], // cut
  ["00 00000002 0d01", null], // a wire type that no field of this message has
  ["0000", null],
])("decodeHealthResponse() of %s is %s", (text, expected) => {
  expect(decodeHealthResponse(frame(text))).toBe(expected);
});

test("decodeHealthResponse() ends for any input", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => decodeHealthResponse(bytes) !== undefined));
});
