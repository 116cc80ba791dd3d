import { expect, test } from "vitest";
import { isWholeJson } from "./read-service-file.ts";

const WHOLE = ' {"service": "//a", "liveness": {"interval": "1s"}, "tags": ["}"]}';

test("isWholeJson() takes no beginning of an object or a list for one", () => {
  for (const text of [WHOLE, `[${WHOLE},${WHOLE}]\n`]) {
    expect(isWholeJson(text)).toBe(true);
    const end = text.trimEnd().length;
    for (let length = 0; length < end; length++) expect(isWholeJson(text.slice(0, length))).toBe(false);
  }
});

test.each(["1", '"a"', "null", "service: //a\n", "{service: //a}", "- {}", `${WHOLE}\n- more`])(
  "isWholeJson() takes %j for what may go on",
  (text) => expect(isWholeJson(text)).toBe(false),
);
