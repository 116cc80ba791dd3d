import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage } from "./harness/docs/page.ts";
import { describeFailure } from "./harness/docs/results.ts";
import { runPage } from "./harness/docs/run-page.ts";

const PAGE = "e2e/fixtures/contract.md";

/** What users and their scripts depend on, typed on a machine of its own: real ports, real paths, no settings. */
test("the forms, exit codes and signals that scripts rely on work as written", async () => {
  const markdown = readFileSync(join(import.meta.dirname, "..", PAGE), "utf8");
  const results = await runPage(readPage(markdown), { update: false });
  expect(describeFailure(PAGE, results)).toBeNull();
});
