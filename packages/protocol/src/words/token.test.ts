import fc from "../testing/random.ts";
import { expect, test } from "vitest";
import { formatToken, parseToken } from "./token.ts";

const part = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64url"));

test("parseToken() reads what formatToken() wrote, whatever - and _ its parts have", () => {
  fc.assert(
    fc.property(part, fc.option(part), (secret, fingerprint) => {
      expect(parseToken(formatToken({ secret, fingerprint }))).toEqual({ secret, fingerprint });
    }),
  );
});

test.each(["", "dw1_", "hunter2", `dw1_${"a".repeat(42)}`, `dw1_${"a".repeat(43)}_short`, `dw2_${"a".repeat(43)}`])(
  "parseToken() refuses %j",
  (text) => expect(() => parseToken(text)).toThrow(/^Cannot use the token: it is malformed/),
);

test("parseToken() does not repeat what it refuses", () => {
  expect(() => parseToken("hunter2")).toThrow(/^(?!.*hunter2)/);
});
