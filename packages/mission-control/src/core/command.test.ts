import { expect, test } from "vitest";
import { dwCommand, sharesCommand, type ShareEdit, shellWord } from "./command.ts";

const EDIT: ShareEdit = {
  caller: "*",
  service: "barker",
  targets: [{ target: "//barker(2)", percent: 25 }],
  when: "",
  sticky: "",
  lifetime: "",
};

test.each([
  ["//barker", "//barker"],
  ["//barker(2)", "'//barker(2)'"],
  ["it's", `'it'\\''s'`],
  ["", "''"],
  ["//*", "'//*'"],
])("shellWord() of %s is %s", (word, text) => {
  expect(shellWord(word)).toBe(text);
});

test.each([
  [EDIT, "dw route set //barker '//barker(2)=25%'"],
  [{ ...EDIT, caller: "monolith" }, "dw route set --caller //monolith '//barker(2)=25%'"],
  [
    { ...EDIT, when: "header:X-Beta=1", lifetime: "1h" },
    "dw route add //barker '//barker(2)' 25% --when header:X-Beta=1 --for 1h",
  ],
  [{ ...EDIT, targets: [] }, null],
])("sharesCommand() %#: one line that does the same", (edit, line) => {
  expect(sharesCommand(edit)).toBe(line);
});

test("dwCommand() leaves out what is null", () => {
  expect(dwCommand("route", "undo", null)).toBe("dw route undo");
});
