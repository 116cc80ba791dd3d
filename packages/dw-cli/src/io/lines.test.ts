import { expect, test } from "vitest";
import { linesOf } from "./lines.ts";

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, "latin1");
}

const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

test.each([
  [[], []],
  [["a\nb\n"], ["a", "b"]],
  [["a\r\n\n\nb"], ["a", "", "", "b"]],
  [
    ["a", "b\nc", "\n"],
    ["ab", "c"],
  ],
  [
    ["a\r", "\nb\rc\n"],
    ["a", "b\rc"],
  ],
  [[utf8("ü\u2028\u0085").slice(0, 1), utf8("ü\u2028\u0085").slice(1)], ["ü\u2028\u0085"]],
])("linesOf() ends a line at LF and CR LF alone: %#", async (texts, lines) => {
  const found: string[] = [];
  for await (const line of linesOf(pieces(...texts))) found.push(line);
  expect(found).toEqual(lines);
});
