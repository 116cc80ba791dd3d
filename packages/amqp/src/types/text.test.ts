import fc from "@datawire/protocol/testing/random";
import { expect, test } from "vitest";
import { WireFailure } from "./conditions.ts";
import { decodeAscii, decodeName, encodeUtf8 } from "./text.ts";

test("decodeName() and decodeAscii() have the text of their bytes, whatever names came before", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 70 });
  const texts = fc.array(fc.oneof(ascii, fc.string({ unit: "grapheme", maxLength: 70 })), {
    minLength: 100,
    maxLength: 200,
  });
  fc.assert(
    fc.property(texts, (all) => {
      for (const text of [...all, ...all]) {
        const bytes = encodeUtf8(`-${text}-`);
        expect(decodeName(bytes, 1, bytes.length - 1)).toBe(text);
        if (bytes.length === text.length + 2) expect(decodeAscii(bytes, 1, bytes.length - 1)).toBe(text);
        else expect(() => decodeAscii(bytes, 1, bytes.length - 1)).toThrow(WireFailure);
      }
    }),
    { numRuns: 20 },
  );
});
