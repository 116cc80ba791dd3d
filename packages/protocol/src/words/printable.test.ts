import { expect, test } from "vitest";
import { printable, printableJson } from "./printable.ts";

test.each([
  ["plain, ünïcode → fine", "plain, ünïcode → fine"],
  ["\u001b[31mred", "\\u001b[31mred"],
  ["two\nlines\r\t", "two\\u000alines\\u000d\\u0009"],
  ["\u007f\u0085\u009b31m", "\\u007f\\u0085\\u009b31m"],
  ["tag\u{e0041}\u{e0100} fill\u3164 soft\u00ad", "tag\\udb40\\udc41\\udb40\\udd00 fill\\u3164 soft\\u00ad"],
  ["line\u2028paragraph\u2029mark\ufeff", "line\\u2028paragraph\\u2029mark\\ufeff"],
  ["family \u{1f468} heart \u2764\ufe0f", "family \u{1f468} heart \u2764\ufe0f"],
  ["user\u202egnp.exe\u2066", "user\\u202egnp.exe\\u2066"],
])("printable() shows %j as %j", (text, expected) => {
  expect(printable(text)).toBe(expected);
});

test("printableJson() is safe on a terminal and parses to the same value", () => {
  const value = { reason: "\u001b[31m\u009b\u202e\u2028\u{e0041}", list: [1, "a\nb"] };
  for (const indent of [undefined, 2]) {
    const text = printableJson(value, indent);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e\udb40]/);
    expect(JSON.parse(text)).toEqual(value);
  }
});
