import { expect, test } from "vitest";
import { commandWord, escapeArgument, escapeLogFormat, escapeRegex, hexKey, plainText, quoteWord } from "./escape.ts";

test.each([
  ["quoteWord()", quoteWord, "a'b # $c \\", String.raw`'a'\''b # $c \'`],
  ["escapeLogFormat()", escapeLogFormat, "50%[b]", "50%%[b]"],
  ["escapeRegex()", escapeRegex, "/a.b(c)%", String.raw`/a\x2eb\x28c\x29\x25`],
  ["escapeArgument()", escapeArgument, "x,y)#'", `"x,y)#'"`],
  ["escapeArgument()", escapeArgument, String.raw`a"b\c`, String.raw`"a\"b\\c"`],
  ["escapeArgument()", escapeArgument, "x-canary=|h:", "x-canary=|h:"],
  ["commandWord()", commandWord, String.raw`a b;c\d`, String.raw`a\ b\;c\\d`],
  ["hexKey()", hexKey, "a é", "6120C3A9"],
  ["plainText()", plainText, 'a "<b>"; c\n{d}', "a b c d"],
])("%s makes text stand where it belongs", (_name, escape, text, expected) => {
  expect(escape(text)).toBe(expected);
});
