import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isWholeJson, readServiceFile } from "./read-service-file.ts";

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

test("readServiceFile() reads no file that is larger than one of services can be", async () => {
  const folder = await mkdtemp(join(tmpdir(), "large-file-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "large.yaml");
  await writeFile(path, "a: b: c\n".repeat(600_000));
  expect(await readServiceFile(path)).toEqual({
    ok: false,
    problem: {
      file: path,
      line: 1,
      column: 1,
      message:
        "Cannot read the file: it has 4800000 bytes, wanted 4194304 at the most: a part of its services in each of several files",
    },
  });
});
