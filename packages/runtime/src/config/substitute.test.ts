import { expect, test } from "vitest";
import { substitute } from "./substitute.ts";

const env = { HOST: "vm101", EMPTY: "", NESTED: "${HOST}" };

test.each([
  ["http://${HOST}:80/${HOST}", "http://vm101:80/vm101"],
  ["plain $HOST and 5$", "plain $HOST and 5$"],
  ["$${HOST}", "${HOST}"],
  ["${EMPTY}", ""],
  ["${NESTED}", "${HOST}"],
])("substitute() makes of %s %s", (text, expected) => {
  expect(substitute(text, env)).toMatchObject({ ok: true, text: expected });
});

test("substitute() tells every variable that is unset, and what names none", () => {
  expect(substitute("${A}${B-x}${HOST}${C}", env)).toMatchObject({
    ok: false,
    unset: ["A", "C"],
    malformed: ["${B-x}"],
  });
});

test.each(["constructor", "__proto__", "toString"])(
  "substitute() finds no ${%s}, which every object inherits",
  (name) => {
    expect(substitute(`a-\${${name}}`, process.env)).toMatchObject({ ok: false, unset: [name], malformed: [] });
  },
);
