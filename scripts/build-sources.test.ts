import { expect, test } from "vitest";
import { digestOfSources } from "./build-sources.ts";

test("digestOfSources() goes by what files have, whatever names them, and leaves out tests", () => {
  const digest = digestOfSources(["scripts/step.ts"]);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(digestOfSources(["scripts/st{e,o}p.ts", "scripts/step.ts"])).toBe(digest);
  expect(digestOfSources(["scripts/step.ts", "scripts/*.test.ts"])).toBe(digest);
  expect(digestOfSources(["scripts/step.ts", "scripts/man.ts"])).not.toBe(digest);
});
