import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

/** How a test says that something must have come within a time of its own: on a busy machine it has not. */
const BOUNDS: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a time-out for a whole file", /setConfig\(\{[^}]*\b(?:test|hook)Timeout\b/],
  ["a time-out behind a test, a hook or `eventually`", /^\s*\}, (?:\d[\d_]{3,}|[A-Z_]*_MS(?:_MAX)?)\);$/m],
  ["a time-out behind a test", /^\s*\},\n\s*(?:\d[\d_]{3,}|[\w* ]*_MS(?:_MAX)?|[A-Z_]+ \* [\d_]+),\n\s*\);$/m],
  ["a time-out before a test", /^\s*(?:test|it)[^\n]*\{ timeout: |^ {2}\{ timeout: /m],
  ["a time-out of `expect.poll`", /\.poll\([^;]*?\{[^{}]*\btimeout: /],
  ["an upper bound on time passed", /\(performance\.now\(\) - \w+\)\.toBeLessThan/],
];

const files = globSync(
  ["packages/*/src/**/*.test.{ts,tsx}", "scripts/**/*.test.ts", "e2e/*.test.ts", "e2e/brokers/*.test.ts"],
  { cwd: root },
);

test("no test fails because a machine is slow: vitest.config.ts alone bounds what hangs", () => {
  expect(files.length).toBeGreaterThan(400);
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return BOUNDS.filter(([, pattern]) => pattern.test(text)).map(([what]) => `${file}: ${what}`);
  });
  expect(found).toEqual([]);
});
