import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

test("docs/promises.md names tests that there are", () => {
  const rows = readFileSync(join(root, "docs/promises.md"), "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, , file, title] = line.split(" | ").length === 3 ? ["", ...line.split(" | ")] : [];
      return file?.endsWith(".test.ts") === true ? [{ file, title: (title ?? "").replace(/ \|$/, "") }] : [];
    });
  expect(rows.length).toBeGreaterThan(25);
  const missing = rows.filter(({ file, title }) => !readFileSync(join(root, file), "utf8").includes(`"${title}"`));
  expect(missing).toEqual([]);
});
