import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { readJson } from "./body.ts";

const request = (text: string): IncomingMessage =>
  Object.assign(Readable.from([Buffer.from(text)]), {
    headers: { "content-type": "application/json" },
  }) as unknown as IncomingMessage;

test.each([
  ['{"a":\n"b" hunter2}', "Cannot read the body: it is no JSON, from line 2, column 5 on"],
  ['{"a":"hunter2', "Cannot read the body: it is no JSON"],
  ["", "Cannot read the body: it is no JSON, as it ends too early"],
  ["hunter2", "Cannot read the body: it is no JSON"],
])("readJson() says where %o is no JSON, and repeats nothing of it", async (text, message) => {
  const error = await readJson(request(text)).then(null, (cause: unknown) => String(cause));
  expect(error).toContain(message);
  expect(error).not.toContain("hunter2");
});
